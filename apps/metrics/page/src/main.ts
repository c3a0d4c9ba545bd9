/** The page of the dashboard, see docs/dashboard.md. */
import { App } from './app/app';

new App(document.getElementById('app')!).start();
