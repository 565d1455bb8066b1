// `sallyport/audit`: the log's entries, its tree and its proofs, for whoever keeps or checks one.

export {
  alertLevelsOf as auditAlertLevels,
  retentionOf as auditRetention,
  signalsOf as auditSignals,
} from '../controls/audit/setting.ts'
export { ACTIONS, type ActionKind } from './actions.ts'
export {
  type Checkpoint,
  logSigner,
  openCheckpoint,
  parseVerifierKey,
  type Signer,
  signCheckpoint,
  signerOf,
  type Verifier,
  verifierKey,
  verifierOf,
} from './checkpoint.ts'
export { type AuditEntry, entryBytes, MAX_ENTRY_BYTES, ocsfOf, personalDigest } from './entry.ts'
export { cefLine, type ReadEntry, syslogLine } from './formats.ts'
export {
  consistencyProof,
  EMPTY_FRONTIER,
  type Frontier,
  grow,
  inclusionProof,
  leafHash,
  type NodeSource,
  nodeHash,
  rootAt,
  rootOf,
} from './merkle.ts'
export { isConsistent, isIncluded } from './proofs.ts'
export {
  type Contribution,
  createRiskBook,
  RISK_LEVELS,
  type Risk,
  type RiskBook,
  type RiskLevel,
  type Signals,
} from './risk.ts'
export { DEFAULT_SIGNALS, type RiskSignal, type SignalName } from './signals.ts'
export { TILE_WIDTH, tilePath, tilePlace, tileWidth } from './tiles.ts'
