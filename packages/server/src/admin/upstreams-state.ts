// What an operator sees of the upstreams: counts for /metrics, sentences for /readyz. An upstream that fails is no reason
// to send requests to another gateway, which has the same one behind it.

import { type Family, labelText, type Sample } from '../metrics/families.ts'
import type { AddressReport, UpstreamReport } from '../upstream/upstream.ts'

/** Families for `/metrics` and sentences for `/readyz`. */
export interface UpstreamsState {
  readonly warnings: readonly string[]
  readonly families: readonly Family[]
}

export function upstreamsState(reports: readonly UpstreamReport[]): UpstreamsState {
  const ofUpstreams = (value: (report: UpstreamReport) => number): Sample[] =>
    reports.map((report) => ({
      suffix: '',
      labels: labelText(['upstream'], [report.name]),
      value: value(report),
    }))
  const ofAddresses = (value: (address: AddressReport) => number): Sample[] =>
    each(reports, ({ name }, address) => [
      { suffix: '', labels: labelText(['upstream', 'address'], [name, address.url]), value: value(address) },
    ])
  return {
    warnings: each(reports, ({ name }, { url, ejectedForMs, ejections }) =>
      ejectedForMs === undefined
        ? []
        : [`${url} of the upstream "${name}" is left out after failures, for the ${ordinal(ejections)} time`],
    ),
    families: [
      family(
        'counter',
        'sallyport_upstream_requests_total',
        'Requests sent to an address.',
        ofAddresses(({ total }) => total),
      ),
      family(
        'gauge',
        'sallyport_upstream_active_requests',
        'Requests and tunnels under way at an address.',
        ofAddresses(({ inFlight }) => inFlight),
      ),
      family(
        'counter',
        'sallyport_upstream_address_failures_total',
        'Failures of an address, those that were made good among them.',
        each(reports, ({ name }, { url, failures }) =>
          Object.entries(failures).map(([reason, value]) => ({
            suffix: '',
            labels: labelText(['upstream', 'address', 'reason'], [name, url, reason]),
            value,
          })),
        ),
      ),
      {
        ...family(
          'gauge',
          'sallyport_upstream_ejected',
          '1 while an address is left out, by any process.',
          ofAddresses(({ ejectedForMs }) => Number(ejectedForMs !== undefined)),
        ),
        merge: 'max',
      },
      family(
        'counter',
        'sallyport_upstream_ejections_total',
        'How often an address was left out.',
        ofAddresses(({ ejections }) => ejections),
      ),
      family(
        'counter',
        'sallyport_upstream_retries_total',
        'Requests that were sent a second time.',
        ofUpstreams(({ retried }) => retried),
      ),
      family(
        'counter',
        'sallyport_upstream_refused_total',
        'Requests refused because the upstream had no slot for them.',
        ofUpstreams(({ refused }) => refused),
      ),
      family(
        'gauge',
        'sallyport_upstream_waiting_requests',
        'Requests that wait for a slot.',
        ofUpstreams(({ waiting }) => waiting),
      ),
    ],
  }
}

function each<T>(
  reports: readonly UpstreamReport[],
  of: (report: UpstreamReport, address: AddressReport) => readonly T[],
): T[] {
  return reports.flatMap((report) => report.addresses.flatMap((address) => of(report, address)))
}

function family(type: 'counter' | 'gauge', name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type, samples }
}

function ordinal(count: number): string {
  const endings: Readonly<Record<string, string>> = { one: 'st', two: 'nd', few: 'rd', other: 'th' }
  return `${count}${endings[new Intl.PluralRules('en', { type: 'ordinal' }).select(count)]}`
}
