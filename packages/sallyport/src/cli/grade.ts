// `sallyport grade`: what any server shows of itself, without a policy.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { show } from '../policy/problem.ts'
import { grade, NothingAnswered } from '../posture/grade/grade.ts'
import { gradeSarif } from '../posture/grade/sarif.ts'
import { GRADE_ORDER } from '../posture/grade/score.ts'
import { gradeText } from '../posture/grade/text.ts'
import { isLoopback, parseTarget, type WireTarget } from '../posture/wire/target.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'
import { version } from './version.ts'

/** Runs the command: 0 where the grade is good enough, 1 where it is not, 2 where nothing could be graded. */
export async function gradeCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [url] = invocation.operands
  if (url === undefined)
    throw new Failure('grade needs the server to look at; write sallyport grade https://api.example.com')
  const limit = limitOf(invocation)
  const { target, path } = targetOf(url)
  const paths = [...new Set([path, ...invocation.list('path')])]
  for (const each of paths)
    if (!each.startsWith('/'))
      throw new Failure(
        `${invocation.nameOf('path')}: expected a path that starts with "/", received ${show(each)}`,
      )
  try {
    const report = await grade(await trusting(target, invocation, terminal), {
      paths,
      headers: headersOf(invocation),
      pauseMs: isLoopback(target) ? 0 : 100,
    })
    if (invocation.flag('json')) terminal.out(JSON.stringify(report, null, 2))
    else if (invocation.flag('sarif')) terminal.out(JSON.stringify(gradeSarif(report, version()), null, 2))
    else terminal.out(gradeText(report))
    // Nothing but the certificate was seen, which is no grade that anybody asked for.
    if (report.contexts.length === 0) return 1
    return limit !== undefined && GRADE_ORDER.indexOf(report.grade) > GRADE_ORDER.indexOf(limit) ? 1 : 0
  } catch (error) {
    throw error instanceof NothingAnswered ? new Failure(error.message, { cause: error }) : error
  }
}

function targetOf(url: string): ReturnType<typeof parseTarget> {
  try {
    return parseTarget(url)
  } catch (error) {
    throw new Failure((error as Error).message, { cause: error })
  }
}

function limitOf(invocation: Invocation) {
  const given = invocation.text('fail-below')
  if (given === undefined) return undefined
  const found = GRADE_ORDER.find((each) => each === given)
  if (found === undefined)
    throw new Failure(
      `${invocation.nameOf('fail-below')}: expected one of ${GRADE_ORDER.join(', ')}, received ${show(given)}`,
    )
  return found
}

function headersOf(invocation: Invocation): (readonly [string, string])[] {
  return invocation.list('header').map((text) => {
    const colon = text.indexOf(':')
    const name = text.slice(0, Math.max(0, colon)).trim()
    const value = text.slice(colon + 1).trim()
    // The value may be a credential, so it is not shown.
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name) || !/^[\x20-\x7e]*$/.test(value))
      throw new Failure(`${invocation.nameOf('header')}: expected "Name: value", received something else`)
    return [name, value] as const
  })
}

async function trusting(target: WireTarget, invocation: Invocation, terminal: Terminal): Promise<WireTarget> {
  const ca = invocation.text('ca')
  const base = invocation.flag('insecure') ? { ...target, insecure: true } : target
  if (ca === undefined) return base
  try {
    return { ...base, ca: await readFile(resolve(terminal.directory, ca), 'utf8') }
  } catch (error) {
    throw new Failure(
      `${invocation.nameOf('ca')} ${ca}: can't be read (${(error as NodeJS.ErrnoException).code})`,
      { cause: error },
    )
  }
}
