// Sends the probes of a control to a running server, and gives what each found.

import type { Resolved } from '../../src/guard/cell.ts'
import type { Control, Finding, Observation, Probe } from '../../src/guard/control.ts'
import { type ResolvedPolicy, resolvedFor } from '../../src/guard/resolve.ts'
import { bodyOf, parseAnswer, send, type Where } from '../kinds/wire.ts'

/** The bytes of a probe's request. */
function bytesOf({ request }: Probe): string {
  if ('raw' in request) return request.raw
  const lines = [['Host', 'api.example'], ['Connection', 'close'], ...request.headers]
  const body = request.body ?? ''
  if (body !== '') lines.push(['Content-Length', String(Buffer.byteLength(body))])
  return `${request.method} ${request.path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}

async function observe(where: Where, bytes: string): Promise<Observation> {
  const answer = parseAnswer(await send(where, bytes))
  return {
    status: answer.status,
    headers: answer.headers,
    body: bodyOf(answer),
    encrypted: where.tls === true,
  }
}

/** The probes of a control for a policy. */
export function probesOf(control: Control<never>, policy: ResolvedPolicy): readonly Probe[] {
  if (typeof control.probe !== 'function') return []
  return control.probe(resolvedFor(policy, control) as readonly Resolved<never>[])
}

/** Every finding of a control's probes, by probe. */
export async function prove(
  where: Where,
  control: Control<never>,
  policy: ResolvedPolicy,
): Promise<Readonly<Record<string, readonly Finding[]>>> {
  const found: Record<string, readonly Finding[]> = {}
  for (const probe of probesOf(control, policy)) {
    const findings = probe.expect(await observe(where, bytesOf(probe)))
    if (findings.length > 0) found[probe.id] = findings
  }
  return found
}
