// The records of Sallyport on PostgreSQL, embedded or on a server.

export type { Database, Queries, TransactionOptions } from './database.ts'
export { diagnose, type Finding } from './doctor.ts'
export { StoreFault, type StoreFaultCode } from './fault.ts'
export { type ReachedStore, reachStore } from './neighbour/client.ts'
export { answerNeighbours } from './neighbour/server.ts'
export { openStore, type Store, type StoreEvent, type StoreSettings } from './open.ts'
export {
  type KeyAdministration,
  type KeyAdministrationOptions,
  keyAdministration,
  type ShownKey,
} from './records/key-administration.ts'
export { type KeyAdministratorOptions, keyAdministrator } from './records/key-administrator.ts'
export { type KeyRecordsOptions, keyRecords } from './records/keys.ts'
export { pruneLockouts, recordedLockouts } from './records/lockouts.ts'
export { KeyFault, type NewKey } from './records/new-key.ts'
export { openPeppers, type Pepper, type PepperPlace } from './records/peppers.ts'
export { pushRevocations } from './records/revocation-push.ts'
export type { ParametersOf, RowOf, Statement } from './statement.ts'
export * from './statements/keys.ts'
export * from './statements/lockouts.ts'
export * from './statements/organisations.ts'
export { type ExportSettings, exportStore } from './transfer/export.ts'
export { type ImportSettings, importStore } from './transfer/import.ts'
