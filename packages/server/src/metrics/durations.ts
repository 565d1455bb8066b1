// How long requests took, by route, method and status: a histogram for each, found without building a key for most
// requests.

import { type Family, labelText, type Sample } from './families.ts'

/** Seconds; what OpenTelemetry advises for `http.server.request.duration`. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const

const LABELS = ['http_route', 'http_request_method', 'http_response_status_code', 'le']

interface Series {
  readonly values: readonly string[]
  readonly buckets: number[]
  sum: number
  count: number
}

/** The methods that are told apart; all others are `_OTHER`, as OpenTelemetry names them. */
const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'QUERY',
])

/** A method as a label. */
function methodLabel(method: string): string {
  return METHODS.has(method) ? method : '_OTHER'
}

/** The durations of requests. */
export interface Durations {
  add(route: string, method: string, status: number, seconds: number): void
  family(): Family
}

/** @param maxSeries so many combinations are told apart; a policy can have 10,000 routes */
export function createDurations(maxSeries = 1_000): Durations {
  // By route, then by status; the statuses of a route are few, the upstream's strange ones are bounded by all series.
  const routes = new Map<string, Map<string, Series>>()
  const other = seriesOf(['other', '_OTHER', 'other'])
  let size = 0

  function find(route: string, method: string, status: number): Series {
    let series = routes.get(route)
    if (series === undefined) {
      if (size >= maxSeries) return other
      series = new Map()
      routes.set(route, series)
    }
    const key = `${method}${status}`
    const known = series.get(key)
    if (known !== undefined) return known
    if (size >= maxSeries) return other
    size++
    const made = seriesOf([route, method, status === 0 ? 'none' : String(status)])
    series.set(key, made)
    return made
  }

  return {
    add(route, method, status, seconds) {
      const series = find(route, methodLabel(method), status)
      series.sum += seconds
      series.count++
      for (let i = 0; i < BOUNDS.length; i++)
        if (seconds <= BOUNDS[i]!) {
          series.buckets[i]!++
          return
        }
    },
    family() {
      const all = [...routes.values()].flatMap((series) => [...series.values()])
      return {
        name: 'http_server_request_duration_seconds',
        help: 'Duration of requests, by route template, method and status of the answer ("none" where the client left before one).',
        type: 'histogram',
        samples: (other.count > 0 ? [...all, other] : all).flatMap(samplesOf),
      }
    },
  }
}

function seriesOf(values: readonly string[]): Series {
  return { values, buckets: BOUNDS.map(() => 0), sum: 0, count: 0 }
}

function samplesOf({ values, buckets, sum, count }: Series): readonly Sample[] {
  let below = 0
  const samples: Sample[] = BOUNDS.map((bound, index) => {
    below += buckets[index]!
    return { suffix: '_bucket', labels: labelText(LABELS, [...values, String(bound)]), value: below }
  })
  const labels = labelText(LABELS.slice(0, 3), values)
  return [
    ...samples,
    { suffix: '_bucket', labels: labelText(LABELS, [...values, '+Inf']), value: count },
    { suffix: '_sum', labels, value: sum },
    { suffix: '_count', labels, value: count },
  ]
}
