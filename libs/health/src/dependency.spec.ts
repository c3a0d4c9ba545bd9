import { StorageRefusedError, StorageUnavailableError } from '#libs/storage';
import { DependencyError, faultOf } from './dependency';

const thrown = (message: string, code?: string) => Object.assign(new Error(message), { code });

describe('what is said of a failed check', () => {
  it.each([
    [thrown('connect ECONNREFUSED 10.1.2.3:5432', 'ECONNREFUSED'), 'unreachable'],
    [thrown('getaddrinfo ENOTFOUND db.internal', 'ENOTFOUND'), 'unreachable'],
    [thrown('Connection terminated unexpectedly'), 'unreachable'],
    [thrown("Stream isn't writeable and enableOfflineQueue options is false"), 'unreachable'],
    [thrown('Command timed out'), 'timeout'],
    [thrown('password authentication failed for user "stockyard_control"', '28P01'), 'failed'],
    [new DependencyError('read_only'), 'read_only'],
    [new StorageRefusedError('The object store refuses the credentials.', undefined), 'refused'],
    [new StorageUnavailableError(thrown('whatever')), 'unreachable'],
    [undefined, 'failed'],
  ])('%s is %s', (error, fault) => {
    expect(faultOf(error)).toBe(fault);
  });
});
