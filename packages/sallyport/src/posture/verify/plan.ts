// What will be sent: the controls' own probes and the requests that provoke each class of answers in each cell, merged
// where they are the same, safe ones only unless writes are allowed, the most telling first.

import { exampleOrigin } from '../../controls/cors/examples.ts'
import type { CorsSetting } from '../../controls/cors/setting.ts'
import { samplePath } from '../../controls/faces.ts'
import type { Probe, ProbeRequest } from '../../guard/control.ts'
import { type ResolvedCell, resolvedFor } from '../../guard/resolve.ts'
import { controls } from '../register.ts'
import type { ClassId } from './classes.ts'
import { type Credential, withCredential } from './credential.ts'
import { inOtherLetters } from './letter-case.ts'
import type { Oracle } from './oracle.ts'
import { RAW_CLASSES } from './raw-classes.ts'
import type { NotRun, Profile } from './result.ts'
import { strangers, takesPages } from './strangers.ts'
import { isWrite, withoutWrite } from './writes.ts'

/** A probe with its control. */
export interface Claim {
  /** The control's name. */
  readonly control: string
  readonly probe: Probe
}

/** One request, and everything that its answer is to prove. */
export interface Planned {
  readonly request: ProbeRequest
  readonly meant: ClassId | undefined
  readonly claims: readonly Claim[]
  readonly role: string | undefined
}

/** A sample that the user named: this path answers so. */
export interface Sample {
  readonly class: ClassId
  readonly path: string
  readonly method?: string
}

export interface PlanOptions {
  readonly profile: Profile
  readonly allowWrites: boolean
  readonly samples: readonly Sample[]
  readonly credentials: readonly Credential[]
  readonly maxRequests: number
}

export interface Plan {
  readonly requests: readonly Planned[]
  readonly notRun: readonly NotRun[]
  readonly notes: readonly string[]
}

const CELLS = { quick: 24, full: 200 } as const
const STRANGER = 'https://sallyport-probe.invalid'
// Each of them may be read as another path by somebody.
const DOUBTFUL = [
  '/v1/../',
  '/v1/%2e%2e/',
  '/v1%2Faccount',
  '//v1',
  '/v1\\account',
  '/v1;a',
  '/v1%00',
] as const
const NOWHERE = 'sallyport-verify-no-such-path'

/** Plans a run. */
export function planRun(oracle: Oracle, options: PlanOptions): Plan {
  const { chosen, notes } = chooseCells(oracle.policy.cells, CELLS[options.profile])
  const merged = new Map<string, { -readonly [K in keyof Planned]: Planned[K] } & { claims: Claim[] }>()
  const notRun: NotRun[] = []

  function add(request: ProbeRequest, meant?: ClassId, claim?: Claim, role?: string): void {
    const what = claim?.probe.id ?? `class ${meant ?? 'any'}`
    const safe = options.allowWrites || !isWrite(request) ? request : withoutWrite(request, oracle)
    if (safe === undefined) {
      notRun.push({ probe: what, because: 'it would write; run it with --allow-writes' })
      return
    }
    // What is seen to be fresh on two answers only must be sent twice.
    const again = claim?.probe.id.endsWith(' again') ? 'again' : ''
    const key = JSON.stringify([safe, role ?? '', again])
    const known = merged.get(key)
    if (known === undefined) {
      merged.set(key, { request: safe, meant, claims: claim ? [claim] : [], role })
      return
    }
    known.meant ??= meant
    if (claim) known.claims.push(claim)
  }

  for (const cell of chosen)
    for (const [request, meant] of cellRequests(cell, options.profile)) add(request, meant)
  for (const cell of chosen) {
    if (takesPages(cell)) add(get(pathsOf(cell, oracle, options.samples)[0]!, ['Accept', 'text/html']))
    const other = inOtherLetters(cell)
    if (other) add(other)
  }
  for (const sample of options.samples)
    for (const [request, meant] of sampleRequests(sample)) add(request, meant)
  // Grants hold on errors, and nowhere on doubtful paths.
  const listed = listedOrigin(oracle.policy.cells)
  if (listed !== undefined) {
    add(get(DOUBTFUL[0], ['Origin', listed]))
    add(get(`/${NOWHERE}`, ['Origin', listed]), '404')
    for (const { class: meant, path, method = 'GET' } of options.samples)
      if (meant === 'error' && method === 'GET') add(get(path, ['Origin', listed]), meant)
  }
  for (const request of strangers(chosen)) add(request)
  for (const [id, raw] of RAW_CLASSES) add({ raw }, id)
  add(get('/%E0%A4%A'), 'bad-percent')
  add(get(`/${NOWHERE}`), '404')
  // Refused by a page of the policy's own, so no handler can be reached by it.
  add({ method: 'PUT', path: '/.well-known/problems/malformed_request', headers: [] }, '405')
  for (const [role, credentials] of Map.groupBy(options.credentials, (each) => each.role))
    for (const cell of chosen) {
      if (cell.credentials === 'none' || (cell.method ?? 'GET') !== 'GET') continue
      for (const path of pathsOf(cell, oracle, options.samples))
        add(credentials.reduce(withCredential, get(path)), undefined, undefined, role)
    }
  let left = 0
  const wanted = new Set(chosen.map(({ id }) => id))
  for (const control of controls) {
    if (typeof control.probe !== 'function') continue
    const cells = resolvedFor<never>(oracle.policy, control)
    for (const probe of control.probe(cells)) {
      if (wanted.has(probe.cell) || probe.cell === '!')
        add(probe.request, undefined, { control: control.name, probe })
      else left++
    }
  }
  if (left > 0)
    notRun.push({
      probe: `${left} probes of other routes`,
      because: 'routes with their settings were probed',
    })
  const all = [...merged.values()]
  for (const cut of all.slice(options.maxRequests))
    notRun.push({
      probe: cut.claims[0]?.probe.id ?? `class ${cut.meant ?? 'any'}`,
      because: `over the limit of ${options.maxRequests} requests; raise it with --max-requests`,
    })
  return { requests: all.slice(0, options.maxRequests), notRun, notes }
}

function get(path: string, ...headers: readonly (readonly [string, string])[]): ProbeRequest {
  return { method: 'GET', path, headers }
}

/** An origin that the policy lists; `undefined` where there is none. */
export function listedOrigin(cells: readonly ResolvedCell[]): string | undefined {
  const { mode = 'enforce', origins } = cells.at(-2)!.settings['cors'] as CorsSetting
  return mode === 'enforce' && origins?.[0] !== undefined ? exampleOrigin(origins[0]) : undefined
}

type Meant = readonly [request: ProbeRequest, meant: ClassId | undefined]

function cellRequests(cell: ResolvedCell, profile: Profile): readonly Meant[] {
  if (cell.origin === 'strict') return DOUBTFUL.map((path) => [get(path), undefined])
  const path = samplePath(cell.path)
  const method = cell.method ?? 'GET'
  const preflight: Meant = [
    {
      method: 'OPTIONS',
      path,
      headers: [
        ['Origin', STRANGER],
        ['Access-Control-Request-Method', method],
      ],
    },
    undefined,
  ]
  if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS')
    return [preflight, [{ method, path, headers: [] }, undefined]]
  const requests: Meant[] = [[{ method, path, headers: [] }, undefined]]
  if (cell.data === 'stream')
    requests[0] = [{ method, path, headers: [['Accept', 'text/event-stream']] }, 'sse']
  // A stream sends its head with its first bytes, and to HEAD it has none.
  if (method === 'GET' && (cell.data !== 'stream' || profile === 'full'))
    requests.push([{ method: 'HEAD', path, headers: [] }, 'head'])
  if (cell.path.endsWith('/*') || cell.origin === 'default')
    requests.push([get(`${path === '/' ? '' : path}/${NOWHERE}`), '404'])
  requests.push(preflight)
  if (profile === 'full') {
    requests.push([{ method: 'OPTIONS', path, headers: [] }, 'options'])
    requests.push([get(`${path === '/' ? '' : path}/%E0%A4%A`), 'bad-percent'])
    requests.push([get(`${path}?sallyport-verify=1`), undefined])
  }
  return requests
}

function sampleRequests(sample: Sample): readonly Meant[] {
  const { path, class: meant } = sample
  const post = (type: string, body: string): Meant => [
    { method: sample.method ?? 'POST', path, headers: [['Content-Type', type]], body },
    meant,
  ]
  switch (meant) {
    case 'bad-json':
      return [post('application/json', '{"sallyport-verify":')]
    case 'bad-media-type':
      return [post('application/x-sallyport-verify', 'x')]
    case '405':
      return [[{ method: sample.method ?? 'DELETE', path, headers: [] }, meant]]
    case '304':
      return [
        [get(path, ['If-None-Match', '*']), meant],
        [get(path), undefined],
      ]
    case 'sse':
      return [[get(path, ['Accept', 'text/event-stream']), meant]]
    default: {
      const method = sample.method ?? 'GET'
      const plain: Meant = [{ method, path, headers: [] }, meant]
      return method === 'GET' ? [plain, [{ method: 'HEAD', path, headers: [] }, 'head']] : [plain]
    }
  }
}

function pathsOf(cell: ResolvedCell, oracle: Oracle, samples: readonly Sample[]): readonly string[] {
  const named = samples.map(({ path }) => path).filter((path) => oracle.cellOf(get(path)) === cell.id)
  return named.length > 0 ? [...new Set(named)] : [samplePath(cell.path)]
}

// Of many routes with the same settings one speaks for all, until there is room for more.
function chooseCells(
  cells: readonly ResolvedCell[],
  limit: number,
): { readonly chosen: readonly ResolvedCell[]; readonly notes: readonly string[] } {
  if (cells.length <= limit) return { chosen: cells, notes: [] }
  const byKind = Map.groupBy(cells, (cell) =>
    JSON.stringify([cell.origin, cell.method, cell.data, cell.credentials, cell.settings]),
  )
  const first = new Set(Array.from(byKind.values(), (kind) => kind[0]!))
  const fallback = cells.at(-2)!
  const strict = cells.at(-1)!
  const order = [fallback, strict, ...first, ...cells]
  const chosen = [...new Set(order)].slice(0, limit)
  const left = cells.length - chosen.length
  const kinds = byKind.size > limit ? ` of ${byKind.size} kinds` : ''
  return {
    chosen,
    notes: [
      `${left} of ${cells.length} routes${kinds} were not probed themselves: others with their settings were`,
    ],
  }
}
