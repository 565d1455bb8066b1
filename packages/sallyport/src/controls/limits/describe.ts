// How `limits` stands on the posture page.

import { counterBounds } from '../../counters/bounds.ts'
import type { Resolved } from '../../guard/cell.ts'
import type { Entry, Place, Section } from '../../guard/control.ts'
import { sameForAll } from '../faces.ts'
import { addressBuckets, type Bucket, planBuckets } from './buckets.ts'
import { type LimitsSetting, limitsAnything } from './setting.ts'
import { bucketWords } from './words.ts'

type Cells = readonly Resolved<LimitsSetting>[]

export function describeLimits(cells: Cells, place: Place): Section {
  return {
    control: 'limits',
    id: 'SP-LIMITS-01',
    title: 'Rate limits',
    entries: [
      ...sameForAll(
        cells,
        'Rate limits',
        (setting) => (limitsAnything(inForce(setting)) ? undefined : 'none'),
        'Nothing here bounds how much one caller asks, so one caller can use up what serves all, and guess as often as it likes.',
      ),
      ...planEntries(cells),
      ...addressEntries(cells),
      ...priorityEntries(cells),
      ...sameForAll(
        cells,
        'Told to callers',
        (setting) => (limitsAnything(inForce(setting)) ? toldWords(setting) : undefined),
        'X-RateLimit-Reset is in seconds since 1970, RateLimit-Reset in seconds from now; the bucket told is the one that binds. Waiting for Retry-After is enough if nobody else of the same caller asks meanwhile.',
      ),
      ...boundEntries(cells),
    ],
    limits: limits(cells, place),
  }
}

function inForce(setting: LimitsSetting): LimitsSetting {
  return setting.mode === 'off' ? {} : setting
}

function planEntries(cells: Cells): readonly Entry[] {
  const names = new Set(cells.flatMap(({ setting }) => Object.keys(inForce(setting).plans ?? {})))
  return [
    ...[...names].flatMap((name) =>
      sameForAll(
        cells,
        `Plan ${name}`,
        (setting) => {
          const { plans } = inForce(setting)
          return plans && Object.hasOwn(plans, name) ? words(planBuckets(setting, name)) : undefined
        },
        'Every bucket must let a request pass; buckets of one name share a count over plans, so a new plan acts at once.',
      ),
    ),
    ...sameForAll(
      cells,
      'Callers without a plan',
      (setting) => inForce(setting).defaultPlan && `the plan ${setting.defaultPlan}`,
      'No known caller is without a limit. An organisation’s own numbers lie over its plan’s.',
    ),
    ...sameForAll(
      cells,
      'A bucket for each',
      (setting) => (inForce(setting).plans ? (setting.by ?? 'organisation') : undefined),
      'Whoever shares a bucket shares what is left.',
    ),
  ]
}

function addressEntries(cells: Cells): readonly Entry[] {
  return sameForAll(
    cells,
    'Each address',
    (setting) => {
      const buckets = addressBuckets(inForce(setting))
      if (buckets.length === 0) return undefined
      return buckets
        .map(
          (bucket) =>
            `${bucket.name}: ${bucketWords(bucket)}, an IPv6 /${bucket.ipv6Prefix} as one${bucket.refundable ? ', known callers not counted' : ''}`,
        )
        .join('; ')
    },
    'Callers that nobody knows, and credentials that are none, are bound by where they come from, before anything is looked up for them.',
  )
}

function priorityEntries(cells: Cells): readonly Entry[] {
  return [
    ...sameForAll(
      cells,
      'Cost of a request',
      (setting) => (limitsAnything(inForce(setting)) ? String(setting.cost ?? 1) : undefined),
      'A dear request takes more of each bucket.',
    ),
    ...sameForAll(
      cells,
      'Reserve',
      (setting) =>
        inForce(setting).reservePercent
          ? `${setting.reservePercent} % of each plan bucket${setting.critical ? ', which requests here may use' : ' is not for requests here'}`
          : undefined,
      'Requests that matter still pass when a caller has used up the rest.',
    ),
    ...sameForAll(
      cells,
      'Under load',
      (setting) => {
        const { shed, critical } = inForce(setting)
        if (!shed) return undefined
        return critical
          ? 'let in as long as the process answers'
          : `refused with 503 while the process runs ${shed.delayMs} ms late`
      },
      'What matters less gives way first.',
    ),
  ]
}

function toldWords({ disclose = 'full', structuredFields }: LimitsSetting): string {
  if (disclose === 'none') return 'nothing'
  if (disclose === 'retry-only') return 'Retry-After on refusals, rounded up to half a minute or more'
  return `bucket, limit, what is left and the reset on every answer, as X-RateLimit-* and RateLimit-*${structuredFields ? ', also as RateLimit and RateLimit-Policy' : ''}; Retry-After on refusals`
}

function words(buckets: readonly Bucket[]): string {
  return buckets.map((bucket) => `${bucket.name}: ${bucketWords(bucket)}`).join('; ')
}

// The bounds in each state, for one process and, as the smallest number of several, for two.
function boundEntries(cells: Cells): readonly Entry[] {
  const entries = new Map<string, Entry>()
  for (const { setting } of cells) {
    const policy = inForce(setting)
    const buckets = [
      ...Object.keys(policy.plans ?? {}).flatMap((plan) => planBuckets(policy, plan)),
      ...addressBuckets(policy),
    ]
    for (const bucket of buckets) for (const entry of boundsOf(bucket)) entries.set(entry.name, entry)
  }
  return [...entries.values()]
}

function boundsOf(bucket: Bucket): readonly Entry[] {
  const { name, limit, windowMs, algorithm, burst, onOutage } = bucket
  const asked = {
    bucket: name,
    limit,
    windowMs,
    algorithm,
    onOutage,
    ...(burst === undefined ? {} : { burst }),
  }
  const bounds = [
    ...counterBounds(asked, { store: 'memory', nodes: 1 }),
    ...counterBounds(asked, { store: 'memory', nodes: 2 }),
    ...counterBounds(asked, { store: 'valkey', nodes: 2 }),
  ]
  const what = bucketWords(bucket)
  const entry = (title: string, states: readonly string[]): Entry => ({
    name: `${title} of ${what}`,
    value: bounds
      .filter(({ state }) => states.includes(state))
      .map(({ state, sentence }) => `${state}: ${sentence}`)
      .join(' '),
    why: 'A limit that holds only for a window that begins where it suits lets twice as much through.',
    cells: [],
  })
  return [
    entry('Bound', [
      'one process',
      'one process, restarted',
      'several processes',
      'several processes, restarted',
      'several with Valkey',
    ]),
    // Whoever knows what passes in an outage knows what an outage is good for.
    {
      ...entry(onOutage === 'local' ? 'In an outage, bound' : `In an outage (${onOutage}), bound`, [
        'outage',
        'Valkey restarted empty',
      ]),
      ...(onOutage === 'local' ? {} : { audience: 'reviewer' }),
    },
  ]
}

function limits(cells: Cells, place: Place): readonly string[] {
  const settings = cells.map(({ setting }) => inForce(setting))
  const found: string[] = []
  if (settings.some(({ plans, addresses }) => plans && !addresses))
    found.push('Callers that nobody knows are not limited where no limit by address is set.')
  if (settings.some(({ addresses }) => addresses)) {
    found.push(
      'An address that has used up its bucket is refused before anybody looks who calls, so a flood from one address also keeps out known callers behind it.',
    )
    if (place === 'fetch')
      found.push('Where the host hides the address of the caller, no limit by address can hold.')
  }
  if (settings.some(limitsAnything))
    found.push(
      'Requests are counted when they are judged; how long an answer takes, or how large it is, is not counted.',
      'An attack from very many addresses is for the network in front.',
    )
  return found
}
