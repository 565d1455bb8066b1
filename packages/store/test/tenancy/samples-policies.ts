// Policies that show or take more than the tenant's rows: each is put beside the right one on `orders`.

import { OWN } from './samples-clean.ts'
import type { FaultySample } from './samples-faulty.ts'

const policy = (name: string, sql: string, ids: readonly string[]): FaultySample => ({
  name,
  sql: `create policy extra on orders ${sql};`,
  ids,
})
const ALSO = `or ${OWN}`

/** All of them. */
export const POLICY_FAULTS: readonly FaultySample[] = [
  policy('true for all', 'using (true) with check (true)', ['policy-open']),
  policy('or true', `using (${OWN} or true) with check (${OWN})`, ['policy-open']),
  policy('one is one', 'for select using (1 = 1)', ['policy-open']),
  policy('a column is itself', 'for select using (organisation_id = organisation_id)', ['policy-open']),
  policy('true to the application’s role', 'for select to $app using (true)', ['policy-open']),
  policy('true for deletion', 'for delete using (true)', ['policy-open']),
  policy('a switch', `for select using (current_setting('app.admin', true) = 'on' ${ALSO})`, [
    'policy-switch',
  ]),
  policy('rows of nobody', `for select using (organisation_id is null ${ALSO})`, ['policy-unbound']),
  policy('a name of a role', `for select using (current_user = 'support' ${ALSO})`, ['policy-unbound']),
  policy(
    'another setting',
    `for select using (organisation_id = current_setting('app.organisation', true))`,
    ['policy-setting'],
  ),
  policy('another column', `for select using (id::text = (select current_setting('app.tenant', true)))`, [
    'policy-column',
  ]),
  policy(
    'a tenant for whoever has none',
    `for select using (organisation_id = coalesce(current_setting('app.tenant', true), 'acme'))`,
    ['policy-unbound'],
  ),
  policy('a pattern', `for select using (organisation_id like current_setting('app.tenant', true) || '%')`, [
    'policy-unbound',
  ]),
  policy('all tenants but one', `for select using (organisation_id <> current_setting('app.tenant', true))`, [
    'policy-unbound',
  ]),
  policy(
    'a name that is cut',
    `for select using (organisation_id::varchar(4) = current_setting('app.tenant', true))`,
    ['policy-switch'],
  ),
  policy(
    'a list with more in it',
    `for select using (organisation_id in (current_setting('app.tenant', true), 'public'))`,
    ['policy-unbound'],
  ),
  policy('rows are taken that are not seen', `using (${OWN}) with check (true)`, ['check-open']),
  policy('inserts of whatever', 'for insert with check (true)', ['check-open']),
  policy('updates to whatever', `for update using (${OWN}) with check (total > 0)`, ['check-open']),
  policy('a policy without with check', `for update using (${OWN})`, ['check-implicit']),
  policy('another role’s policy', 'for select to $other using (true)', ['policy-other-role']),
]
