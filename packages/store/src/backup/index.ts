// `@sallyport/store/backup`: encrypted, signed backups that are proved when they are made; restoring; and whether a
// PostgreSQL server can be brought back to any moment.

export type { Opener } from './envelope.ts'
export { backupSigner, identityIn, recipientIn, SIGNER_PUBLIC } from './keys.ts'
export { type BackupSettings, makeBackup } from './make.ts'
export { type BackupRecord, provedBackups, prune, recordIn, writeRecord } from './record.ts'
export { type Restored, type RestoreSettings, restoreBackup } from './restore.ts'
export { type Turn, type TurnSettings, takeTurn } from './run.ts'
export { checkServer, type ServerCheckSettings, type ServerFinding } from './server-check.ts'
export { openSource } from './source.ts'
export { type Proved, type VerifySettings, verifyBackup } from './verify.ts'
