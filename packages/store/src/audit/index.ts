// `@sallyport/store/audit`: the audit log on the records.

export { type Anchor, fileAnchor } from './anchor.ts'
export type { Waiting } from './batch.ts'
export type { AuditLog, AuditLogOptions, AuditLogState } from './contract.ts'
export { openAuditLog } from './log.ts'
export { type EntryProof, holds, proveEntry } from './proof.ts'
export { type LogFilter, type LogLine, logSize, readLog, searchLog } from './read.ts'
export { pruneLog } from './retention.ts'
export { fileSpool, type Spool } from './spool.ts'
export { type CheckOptions, checkLog, type LogCheck, type LogFault } from './verify.ts'
