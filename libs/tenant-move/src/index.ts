/** Moves a live organization from one shard to another. Knows no framework; what to do with its state is the caller's. */
export { TenantMove } from './tenant-move';
export { MOVE_STEPS, type MoveProgress, type MoveState, type MoveStep, NEW_MOVE } from './move.state';
export type { DirectoryEntry, MoveDirectory, MoveSide, PresentEntry, TenantMoveOptions } from './move.options';
