// `sallyport diff`: whether a policy became stronger or weaker, as a gate.

import { readFile, rename, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type ResolvedPolicy, resolvePolicy } from '../guard/resolve.ts'
import { findPolicy } from '../policy/load.ts'
import { PolicyError, sentence, show } from '../policy/problem.ts'
import { ACCEPTED_FILE, type Accepted, gateOf, readAccepted } from '../posture/diff/accepted.ts'
import { diffPolicies, type PolicyDiff } from '../posture/diff/diff.ts'
import { readSide, type Side } from '../posture/diff/side.ts'
import { diffMarkdown, diffText } from '../posture/diff/text.ts'
import { CHANGES_FILE, changesIn } from '../posture/page/facts.ts'
import type { PolicyChange } from '../posture/page/index.ts'
import '../posture/page/index.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'

/** Runs the command: 0 where the gate is open, 1 where something is weaker and not accepted, 2 where nothing could be compared. */
export async function diffCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [first, second, more] = invocation.operands
  if (first === undefined || more !== undefined)
    throw new Failure('diff needs what to compare with: sallyport diff main, or sallyport diff BEFORE AFTER')
  const { directory } = terminal
  const own = await findPolicy(directory)
  const after = second ?? own
  if (after === undefined)
    throw new Failure('there is no policy here to compare with it; write sallyport diff BEFORE AFTER')
  const right = await readSide(after, directory, own)
  const left = await readSide(first, directory, own)
  const diff = await compared(left, right)
  const file = resolve(directory, invocation.text('accepted') ?? ACCEPTED_FILE)
  let entries = await acceptedIn(file)
  const today = new Date().toISOString().slice(0, 10)
  const wanted = invocation.text('accept')
  if (wanted !== undefined) {
    entries = withEntry(entries, newEntry(invocation, diff, wanted, today))
    await writeFile(`${file}.new`, `${JSON.stringify(entries, null, 2)}\n`)
    await rename(`${file}.new`, file)
    terminal.err(`accepted ${wanted}`)
  }
  if (invocation.flag('log')) await logChange(resolve(directory, CHANGES_FILE), diff)
  const gate = gateOf(diff.changes, entries, today)
  if (invocation.flag('json'))
    terminal.out(
      JSON.stringify(
        {
          ...diff,
          gate: {
            open: gate.open,
            blocking: gate.blocking.map(({ fingerprint }) => fingerprint),
            unused: gate.unused,
          },
        },
        null,
        2,
      ),
    )
  else terminal.out((invocation.flag('markdown') ? diffMarkdown(diff, gate) : diffText(diff, gate)).trimEnd())
  return gate.open ? 0 : 1
}

async function logChange(file: string, diff: PolicyDiff): Promise<void> {
  let before: readonly PolicyChange[] = []
  try {
    before = changesIn(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw error instanceof SyntaxError
        ? new Failure(`${CHANGES_FILE}: is not JSON; mend it, or move it away to begin a new log`, {
            cause: error,
          })
        : error
  }
  const change: PolicyChange = {
    at: new Date().toISOString(),
    from: diff.before,
    to: diff.after,
    verdict: diff.verdict,
    changes: diff.changes
      .filter(({ strength }) => strength !== 'neutral')
      .map(({ strength, control, what, because }) => `${strength}: ${control}.${what}: ${because}`),
  }
  await writeFile(`${file}.new`, `${JSON.stringify([change, ...before].slice(0, 200), null, 2)}\n`)
  await rename(`${file}.new`, file)
}

async function compared(left: Side, right: Side): Promise<PolicyDiff> {
  const [before, after] = [resolvedSide(left), resolvedSide(right)]
  try {
    return await diffPolicies(before, after)
  } catch (error) {
    throw error instanceof RangeError ? new Failure(error.message, { cause: error }) : error
  }
}

function resolvedSide({ name, policy }: Side): ResolvedPolicy {
  try {
    return resolvePolicy(policy)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new Failure(error.problems.map((each) => `${name}: ${sentence(each)}`).join('\n'), {
      cause: error,
    })
  }
}

async function acceptedIn(file: string): Promise<readonly Accepted[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new Failure(
      `${ACCEPTED_FILE}: can't be read (${(error as NodeJS.ErrnoException).code}); name a file that is there`,
      {
        cause: error,
      },
    )
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Failure(
      `${ACCEPTED_FILE}: is not JSON (${(error as Error).message.split('\n', 1)[0]}); mend it by hand: it is what somebody accepted`,
      {
        cause: error,
      },
    )
  }
  const { accepted, problems } = readAccepted(value)
  if (problems.length > 0)
    throw new Failure(problems.map((each) => `${ACCEPTED_FILE}: ${sentence(each)}`).join('\n'))
  return accepted
}

function newEntry(invocation: Invocation, diff: PolicyDiff, fingerprint: string, today: string): Accepted {
  const change = diff.changes.find((each) => each.fingerprint === fingerprint)
  if (change === undefined || (change.strength !== 'weaker' && change.strength !== 'incomparable'))
    throw new Failure(
      `${invocation.nameOf('accept')}: no weaker change has the fingerprint ${show(fingerprint)}; take one that sallyport diff prints`,
    )
  const text = (name: string) => {
    const value = invocation.text(name)
    if (value === undefined)
      throw new Failure(
        `${invocation.nameOf(name)}: must be given with --accept, so that somebody can be asked later`,
      )
    return value
  }
  const entry = {
    fingerprint,
    what: change.because,
    reason: text('reason'),
    owner: text('owner'),
    expires: text('expires'),
  }
  const { problems } = readAccepted([entry])
  if (problems.length > 0)
    throw new Failure(
      problems
        .map((each) => `--${sentence({ ...each, path: each.path.replace(/^\[0\]\.?/, '') })}`)
        .join('\n'),
    )
  if (entry.expires < today)
    throw new Failure(`${invocation.nameOf('expires')}: ${entry.expires} is over already; name a day to come`)
  return entry
}

function withEntry(entries: readonly Accepted[], entry: Accepted): readonly Accepted[] {
  return [...entries.filter(({ fingerprint }) => fingerprint !== entry.fingerprint), entry]
}
