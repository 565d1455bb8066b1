// The list of the mutation run: the finding catalogue against the kinds of answers. It is made from the catalogue, the
// policies and the kinds alone, knows nothing of how a verification looks, and is the same each time.

import { corsMutations } from './list-cors.ts'
import { disclosureMutations } from './list-disclosure.ts'
import { errorMutations } from './list-errors.ts'
import { headerMutations } from './list-headers.ts'
import { pathMutations } from './list-paths.ts'
import { requestMutations } from './list-requests.ts'
import { transportMutations } from './list-transport.ts'
import type { Mutation } from './mutation.ts'

/** Every mutation, by group. */
export const groups: Readonly<Record<string, readonly Mutation[]>> = {
  headers: headerMutations(),
  paths: pathMutations(),
  cors: corsMutations(),
  errors: errorMutations(),
  requests: requestMutations(),
  disclosure: disclosureMutations(),
  transport: transportMutations(),
}

export const mutations: readonly Mutation[] = Object.values(groups).flat()
