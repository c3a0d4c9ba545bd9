// Test support: real servers on this machine.
export * from './servers';
