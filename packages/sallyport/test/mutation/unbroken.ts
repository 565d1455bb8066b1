// The servers in which nothing is broken: every framework under every preset, and every server of the run with each
// change that means nothing.

import type { PolicyDocument } from '../../src/guard/policy.ts'
import { PRESET_NAMES } from '../../src/presets/names.ts'
import { ORIGIN } from '../kinds/kinds.ts'
import { guardedApps } from '../kinds/servers.ts'
import { harmless } from './harmless.ts'
import type { Mutation } from './mutation.ts'
import { appPolicy, BODY_LIMIT } from './policies.ts'
import type { Unbroken } from './report.ts'
import { runUnbroken } from './run.ts'
import { type Subject, startApp, subjects } from './subjects.ts'

/** One server to verify. */
export interface UnbrokenCase {
  readonly name: string
  readonly start: () => Promise<Subject>
  readonly change?: Mutation['answer']
}

const policies: Readonly<Record<string, PolicyDocument>> = {
  ...Object.fromEntries(
    PRESET_NAMES.map((name) => [
      name,
      {
        extends: name,
        cors: { origins: [ORIGIN], bearer: 'listed' },
        request: { maxBodyBytes: BODY_LIMIT },
        // The app's own errors leak; whoever lets their bodies pass is not unbroken.
        errors: { replaceBodies: 'unshaped' },
      } satisfies PolicyDocument,
    ]),
  ),
  'many rules': appPolicy,
}

/** Every case, in a fixed order. */
export const unbrokenCases: readonly UnbrokenCase[] = [
  ...Object.keys(guardedApps).flatMap((framework) =>
    Object.entries(policies).map(([name, policy]) => ({
      name: `${framework} under ${name}`,
      start: () => startApp(framework, policy),
    })),
  ),
  ...Object.entries(subjects).flatMap(([name, start]) => [
    { name, start },
    ...Object.entries(harmless).map(([what, change]) => ({ name: `${name}, ${what}`, start, change })),
  ]),
]

/** Verifies each. */
export async function runUnbrokenCases(cases: readonly UnbrokenCase[]): Promise<readonly Unbroken[]> {
  const all: Unbroken[] = []
  for (const { name, start, change } of cases) {
    const subject = await start()
    try {
      all.push({ name, ...(await runUnbroken(subject, change)) })
    } finally {
      await subject.close()
    }
  }
  return all
}
