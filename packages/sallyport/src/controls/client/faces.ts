// How `client` is described, proved and compared.

import type { Resolved } from '../../guard/cell.ts'
import type { Change, Entry, Finding, Observation, Probe, Section } from '../../guard/control.ts'
import { formatCidr } from '../../policy/cidr.ts'
import { compareModes, headerValues, sameForAll, samplePath } from '../faces.ts'
import { isRequestId } from './identifiers.ts'
import { type ClientSetting, forwardedBy, rangesOf, requestIdHeader, trustedSet } from './setting.ts'

type Cells = readonly Resolved<ClientSetting>[]

export function describeClient(cells: Cells): Section {
  const entries: Entry[] = [
    ...sameForAll(
      cells,
      'Trusted proxies',
      (setting) => (setting.trustedProxies ?? []).join(', ') || 'none',
      'Forwarding headers count only as far as declared proxies have written them, so no caller can choose its address.',
    ),
    ...sameForAll(
      cells,
      'Client address',
      (setting) => addressWords(setting),
      'Limits and the audit log go by the address of the caller, not of a proxy.',
    ),
    ...sameForAll(
      cells,
      'Request id',
      (setting) => requestIdWords(setting),
      'One id leads from an answer, errors included, to what is known of the request.',
    ),
    ...sameForAll(
      cells,
      'Trace context',
      (setting) =>
        setting.traceContext
          ? 'traceparent (W3C): that of a declared proxy continued, else a new one'
          : undefined,
      'A request can be followed through every service that it meets.',
    ),
  ]
  return {
    control: 'client',
    id: 'SP-CLIENT-01',
    title: 'Client address and request identity',
    entries,
    limits: [
      'A declared proxy is believed: it must append to, or overwrite, the header that is read.',
      'Where a Fetch host hides the peer of the connection, no proxy can be recognised, and the address stays unknown.',
    ],
  }
}

function addressWords(setting: ClientSetting): string {
  const by = forwardedBy(setting)
  switch (by.kind) {
    case 'none':
      return 'the peer of the connection'
    case 'single':
      return `${by.header} from a declared proxy, else the peer of the connection`
    case 'forwarded':
      return 'the first address that is not a declared proxy, from the right of Forwarded (RFC 7239)'
    case 'x-forwarded-for':
      return 'the first address that is not a declared proxy, from the right of X-Forwarded-For'
  }
}

function requestIdWords({ requestId }: ClientSetting): string | undefined {
  if (!requestId) return undefined
  const accepted = requestId.accept === 'never' ? '' : ', or the id that a declared proxy sends'
  return `${requestIdHeader(requestId)} on every answer: 128 random bits${accepted}`
}

export function probeClient(cells: Cells): readonly Probe[] {
  const probes: Probe[] = []
  for (const { cell, setting } of cells) {
    const { requestId } = setting
    if (!requestId) continue
    const name = requestIdHeader(requestId)
    if (cell.origin === 'strict') {
      probes.push({
        id: 'client/request-id-unreadable',
        title: `an answer to a request that cannot be read carries ${name}`,
        cell: cell.id,
        request: { raw: 'GARBAGE\r\n\r\n' },
        expect: (seen) => judgeRequestId(name, seen),
      })
      continue
    }
    const request = { method: cell.method ?? 'GET', path: samplePath(cell.path) }
    probes.push({
      id: `client/request-id ${cell.id}`,
      title: `every answer carries ${name}`,
      cell: cell.id,
      request: { ...request, headers: [] },
      expect: (seen) => judgeRequestId(name, seen),
    })
    // Behind a declared proxy that passes ids on, a stranger's id may come through by its leave.
    if (requestId.accept === 'never' || trustedSet(setting).isEmpty)
      probes.push({
        id: `client/request-id-chosen ${cell.id}`,
        title: 'a caller cannot choose the request id',
        cell: cell.id,
        request: { ...request, headers: [[name, CHOSEN]] },
        expect: (seen) => [
          ...judgeRequestId(name, seen),
          ...(headerValues(seen, name.toLowerCase()).includes(CHOSEN)
            ? [finding('drift.header-value', 'the id that the caller sent came back', name)]
            : []),
        ],
      })
  }
  return probes
}

const CHOSEN = 'chosen-by-the-caller'

function finding(id: string, detail: string, name: string): Finding {
  return { id, detail, mend: `${name}: 32 random hexadecimal digits` }
}

function judgeRequestId(name: string, seen: Observation): readonly Finding[] {
  const found = headerValues(seen, name.toLowerCase())
  if (found.length === 0) return [finding('drift.header-missing', `${name} is missing`, name)]
  if (found.length > 1) return [finding('drift.header-value', `${found.length} lines of ${name}`, name)]
  return isRequestId(found[0]!) ? [] : [finding('drift.header-value', found[0]!, name)]
}

export function compareClient(had: ClientSetting, has: ClientSetting): readonly Change[] {
  const [before, after] = [inForce(had), inForce(has)]
  const changes: Change[] = [...compareModes(had, has), ...compareProxies(before, after)]
  const [a, b] = [JSON.stringify(forwardedBy(before)), JSON.stringify(forwardedBy(after))]
  if (a !== b && (before.trustedProxies ?? []).length > 0 && (after.trustedProxies ?? []).length > 0)
    changes.push({
      strength: 'incomparable',
      what: 'forwarded',
      because:
        'callers are found by another header; which of the two the proxies keep clean is not in this policy',
    })
  if ((before.forwardedHost === true) !== (after.forwardedHost === true))
    changes.push({
      strength: after.forwardedHost ? 'weaker' : 'stronger',
      what: 'forwardedHost',
      because: after.forwardedHost
        ? 'a caller can name the host where a proxy passes X-Forwarded-Host on'
        : 'the host is the request’s own',
    })
  return [...changes, ...compareRequestId(before, after), ...compareTrace(before, after)]
}

// What does not enforce believes nobody and names nothing.
function inForce(setting: ClientSetting): ClientSetting {
  return (setting.mode ?? 'enforce') === 'enforce' ? setting : {}
}

// A proxy that is believed can choose the caller's address; but only one that is believed can also tell that the caller
// came over plain HTTP, which is refused then.
function compareProxies(before: ClientSetting, after: ClientSetting): readonly Change[] {
  const uncovered = (outer: ClientSetting, inner: ClientSetting) => {
    const set = trustedSet(outer)
    return (inner.trustedProxies ?? []).flatMap(rangesOf).find((range) => !set.covers(range))
  }
  const added = uncovered(before, after)
  const removed = uncovered(after, before)
  return [
    ...(added
      ? [
          {
            strength: 'weaker' as const,
            what: 'trustedProxies',
            because: `whoever sends from ${formatCidr(added)} can choose the address it is known by`,
          },
          ...(forwardedBy(after).kind === 'none'
            ? []
            : [
                {
                  strength: 'stronger' as const,
                  what: 'trustedProxies',
                  because: `plain HTTP that ${formatCidr(added)} speaks of is seen as such`,
                },
              ]),
        ]
      : []),
    ...(removed
      ? [
          {
            strength: 'stronger' as const,
            what: 'trustedProxies',
            because: `${formatCidr(removed)} is no longer believed`,
          },
          ...(forwardedBy(before).kind === 'none'
            ? []
            : [
                {
                  strength: 'weaker' as const,
                  what: 'trustedProxies',
                  because: `a caller who came to ${formatCidr(removed)} over plain HTTP is no longer known to have`,
                },
              ]),
        ]
      : []),
  ]
}

function compareRequestId(before: ClientSetting, after: ClientSetting): readonly Change[] {
  const a = before.requestId || undefined
  const b = after.requestId || undefined
  const change = (strength: Change['strength'], because: string): readonly Change[] => [
    { strength, what: 'requestId', because },
  ]
  if (!a && !b) return []
  if (!b) return change('weaker', 'an answer no longer leads to what is known of its request')
  if (!a) return change('stronger', 'every answer leads to what is known of its request')
  const changes: Change[] = []
  if (requestIdHeader(a) !== requestIdHeader(b))
    changes.push(...change('neutral', `the id stands in ${requestIdHeader(b)}`))
  const takes = (setting: typeof a) => setting.accept !== 'never'
  if (takes(a) !== takes(b))
    changes.push(
      ...(takes(b)
        ? change('weaker', 'a declared proxy can choose the id, and give two requests the same')
        : change('stronger', 'nobody can choose the id')),
    )
  return changes
}

function compareTrace(before: ClientSetting, after: ClientSetting): readonly Change[] {
  if ((before.traceContext === true) === (after.traceContext === true)) return []
  return [
    {
      strength: 'neutral',
      what: 'traceContext',
      because: after.traceContext
        ? 'requests can be followed'
        : 'requests are no longer given a trace context',
    },
  ]
}
