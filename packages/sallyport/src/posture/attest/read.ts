// Reads what others wrote: the record of a verification, the statement of an envelope. Both are checked in every field
// that is used, since a file may come from anywhere.

import type { Verification } from '../verify/result.ts'
import { DETAIL, STATEMENT_TYPE, type Statement, SVR_TYPE } from './statement.ts'

/** Reads the record that `sallyport verify --record` wrote; `undefined` where it is none. */
export function readRecord(text: string): Verification | undefined {
  const read = json(text)
  if (!isObject(read) || read['format'] !== 'sallyport-verification/1') return undefined
  const { at, target, policyDigest, profile, source, passed, of, findings, controls, classes } = read
  const isRecord =
    isTime(at) &&
    isOrigin(target) &&
    isText(policyDigest) &&
    /^sha-?256:[0-9a-f]{64}$/.test(policyDigest) &&
    [profile, source].every(isText) &&
    isCount(passed) &&
    isCount(of) &&
    isListOf(findings, ['id', 'severity', 'control', 'class', 'cell']) &&
    isListOf(controls, ['id', 'title'], ['passed', 'of']) &&
    isListOf(classes, ['id'], ['answers'])
  return isRecord ? (read as unknown as Verification) : undefined
}

/** Reads the statement of an envelope's payload; `undefined` where it is none of ours. */
export function readStatement(bytes: Buffer): Statement | undefined {
  const read = json(bytes.toString('utf8'))
  if (!isObject(read) || read['_type'] !== STATEMENT_TYPE || read['predicateType'] !== SVR_TYPE)
    return undefined
  const { subject, predicate } = read
  if (!areResources(subject)) return undefined
  if (!isObject(predicate)) return undefined
  const { verifier, timeCreated, properties, [DETAIL]: detail } = predicate
  if (!isObject(verifier) || !isText(verifier['id']) || !areResources(verifier['policies'])) return undefined
  if (!isTime(timeCreated) || !Array.isArray(properties) || !properties.every(isText)) return undefined
  if (!isObject(detail)) return undefined
  const isOurs =
    [detail['version'], detail['profile'], detail['source']].every(isText) &&
    isTime(detail['expires']) &&
    isCount(detail['passed']) &&
    isCount(detail['of']) &&
    isListOf(detail['controls'], ['id', 'title'], ['passed', 'of']) &&
    isListOf(detail['findings'], ['id', 'severity', 'control', 'class', 'cell']) &&
    Array.isArray(detail['seen']) &&
    detail['seen'].every(isText)
  return isOurs ? (read as unknown as Statement) : undefined
}

type Plain = Readonly<Record<string, unknown>>

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 10_000
}

// RFC 3339 with a zone: without one, nobody knows when it ends.
function isTime(value: unknown): value is string {
  return (
    isText(value) &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  )
}

function isOrigin(value: unknown): value is string {
  return isText(value) && URL.parse(value)?.origin === value
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isListOf(value: unknown, texts: readonly string[], counts: readonly string[] = []): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      (each) =>
        isObject(each) &&
        texts.every((name) => isText(each[name])) &&
        counts.every((name) => isCount(each[name])),
    )
  )
}

function areResources(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isResource)
}

function isResource(value: unknown): boolean {
  if (!isObject(value) || !isText(value['name']) || !isObject(value['digest'])) return false
  if (value['uri'] !== undefined && !isText(value['uri'])) return false
  const { sha256 } = value['digest']
  return isText(sha256) && /^[0-9a-f]{64}$/.test(sha256)
}
