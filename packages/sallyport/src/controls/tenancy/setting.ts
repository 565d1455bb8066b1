// `tenancy`: what keeps the data of one organisation from another. The guard says who calls; that a query sees only that
// caller's rows is kept further in, and this says by what.

import { MODES } from '../../guard/control.ts'
import type { PolicyProblem } from '../../policy/problem.ts'
import { type Infer, object, oneOf, problem } from '../../policy/schema.ts'

/** From the coarser to the finer. */
export const TENANTS = ['organisation', 'store'] as const
/** From the weaker to the stronger. */
export const ENFORCERS = ['application', 'database'] as const

export const tenancySchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    enforcedBy: oneOf(
      ENFORCERS,
      'What keeps tenants apart: `database` where row-level security holds every query to the tenant (`sallyport tenancy check` proves it), `application` where queries name the tenant themselves.',
    ),
    by: oneOf(
      TENANTS,
      'Whose rows a query sees: those of the caller’s organisation, or of its store of that organisation. `organisation` where it is left out.',
    ),
  },
  'What keeps the data of one organisation from another.',
)

export type TenancySetting = Infer<typeof tenancySchema>

export const tenancyDefaults: TenancySetting = {}

export function tenancyContradictions({ by, enforcedBy }: TenancySetting): readonly PolicyProblem[] {
  if (by === undefined || enforcedBy !== undefined) return []
  return [
    problem(
      'by',
      'contradiction',
      'this says whose rows are kept apart, but not by what',
      by,
      'set enforcedBy to "database" where row-level security does it, or to "application"',
    ),
  ]
}
