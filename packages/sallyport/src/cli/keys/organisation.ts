// Whose keys a command is about.

import { show } from '../../policy/problem.ts'
import type { Invocation } from '../command.ts'
import { Failure } from '../failure.ts'
import type { Administration, Organisation } from './package.ts'

/**
 * The organisation that is named; `undefined` where there is none.
 *
 * @throws Failure where none is named
 */
export async function namedOrganisation(
  administration: Administration,
  invocation: Invocation,
): Promise<Organisation | undefined> {
  const wanted = invocation.text('organisation')
  if (wanted === undefined)
    throw new Failure('keys belong to an organisation; name it with --organisation NAME or its id')
  return administration.organisation(wanted)
}

/**
 * The organisation that is named.
 *
 * @throws Failure where there is none
 */
export async function organisationOf(
  administration: Administration,
  invocation: Invocation,
): Promise<Organisation> {
  const found = await namedOrganisation(administration, invocation)
  if (found !== undefined) return found
  throw new Failure(
    `--organisation: there is none named ${show(invocation.text('organisation'))}; "sallyport keys create" makes one with --create-organisation`,
  )
}
