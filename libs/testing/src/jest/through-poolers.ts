/** Setup file of the jest project `pooled`: its environments lead through PgBouncer. */
import { THROUGH_POOLERS } from './test-servers';

process.env[THROUGH_POOLERS] = 'yes';
