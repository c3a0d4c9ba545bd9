/** The TypeORM entities of this library, for the data source of the app that is composed of it. */
import { ApiKey } from './api-keys/api-key.entity';
import { RefreshToken } from './sessions/refresh-token.entity';
import { User } from './users/user.entity';

export const IDENTITY_ENTITIES = [User, RefreshToken, ApiKey];
