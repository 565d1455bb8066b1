// Counts with labels, as data: what one process gathers, several can be added up, and Prometheus can read. The number of
// series is bounded whatever callers send; what comes after the bound is counted under "other".

/** One number of a family. */
export interface Sample {
  /** What stands behind the family's name: ``, `_bucket`, `_sum`, `_count`. */
  readonly suffix: string
  /** As it is written: `{control="SP-CORS-01",action="deny"}`, or nothing. */
  readonly labels: string
  readonly value: number
}

/** All numbers of one name. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** How the numbers of several processes become one; `sum` where it is not said. */
  readonly merge?: 'max'
  readonly samples: readonly Sample[]
}

/** Label values are few and short; so much of a longer one is kept. */
const MAX_VALUE = 200

/** Labels as Prometheus reads them (text format 0.0.4): backslash, quote and line feed are escaped. */
export function labelText(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return ''
  const pairs = names.map((name, index) => `${name}="${escaped(values[index] ?? '')}"`)
  return `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.slice(0, MAX_VALUE).replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))
}

/** A counter with labels. */
export interface LabelledCounter {
  add(values: readonly string[], by?: number): void
  family(): Family
}

const OTHER = 'other'

/** @param maxSeries so many combinations of values are told apart */
export function createLabelledCounter(
  name: string,
  help: string,
  labels: readonly string[],
  maxSeries = 2_000,
): LabelledCounter {
  const series = new Map<string, { readonly values: readonly string[]; count: number }>()
  return {
    add(values, by = 1) {
      let key = values.join('\u0000')
      let kept = values
      if (!series.has(key) && series.size >= maxSeries) {
        kept = labels.map(() => OTHER)
        key = kept.join('\u0000')
      }
      const known = series.get(key)
      if (known) known.count += by
      else series.set(key, { values: kept, count: by })
    },
    family: () => ({
      name,
      help,
      type: 'counter',
      samples: [...series.values()].map(({ values, count }) => ({
        suffix: '',
        labels: labelText(labels, values),
        value: count,
      })),
    }),
  }
}

/** A family of one number. */
export function single(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: number,
  merge?: 'max',
): Family {
  return { name, help, type, ...(merge ? { merge } : {}), samples: [{ suffix: '', labels: '', value }] }
}

/** The families of several processes as those of one. */
export function mergeFamilies(all: readonly (readonly Family[])[]): readonly Family[] {
  const byName = new Map<string, { family: Family; samples: Map<string, Sample> }>()
  for (const family of all.flat()) {
    const known = byName.get(family.name) ?? { family, samples: new Map<string, Sample>() }
    byName.set(family.name, known)
    for (const sample of family.samples) {
      const key = sample.suffix + sample.labels
      const before = known.samples.get(key)
      const value =
        before === undefined
          ? sample.value
          : family.merge === 'max'
            ? Math.max(before.value, sample.value)
            : before.value + sample.value
      known.samples.set(key, { ...sample, value })
    }
  }
  return [...byName.values()].map(({ family, samples }) => ({ ...family, samples: [...samples.values()] }))
}

/** The content type of what `exposition` writes. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Prometheus' text format.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4
 */
export function exposition(families: readonly Family[]): string {
  let text = ''
  for (const { name, help, type, samples } of families) {
    text += `# HELP ${name} ${help.replace(/[\\\n]/g, ' ')}\n# TYPE ${name} ${type}\n`
    for (const { suffix, labels, value } of samples) text += `${name}${suffix}${labels} ${number(value)}\n`
  }
  return text
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}
