// The records of Sallyport on PostgreSQL, embedded or on a server.

export type { Database, Queries, TransactionOptions } from './database.ts'
export { diagnose, type Finding } from './doctor.ts'
export { StoreFault, type StoreFaultCode } from './fault.ts'
export { openStore, type Store, type StoreSettings } from './open.ts'
export { pruneLockouts, recordedLockouts } from './records/lockouts.ts'
export type { ParametersOf, RowOf, Statement } from './statement.ts'
export * from './statements/keys.ts'
export * from './statements/lockouts.ts'
export * from './statements/organisations.ts'
export { type ExportSettings, exportStore } from './transfer/export.ts'
export { type ImportSettings, importStore } from './transfer/import.ts'
