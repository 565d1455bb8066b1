// Whether a policy's expression holds rows to the tenant, from what PostgreSQL prints of it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Bond, holdingOf, settingOfBody } from '../../src/tenancy/audit/expression.ts'

const bond: Bond = {
  table: 'orders',
  column: 'organisation_id',
  setting: 'app.tenant',
  functions: new Map([['app.tenant_id', 'app.tenant']]),
}
const TENANT = `( SELECT current_setting('app.tenant'::text, true) AS current_setting)`
const OWN = `(organisation_id = ${TENANT})`

describe('the expression of a policy', () => {
  const bound = [
    OWN,
    `(orders.organisation_id = ${TENANT})`,
    `(${TENANT} = organisation_id)`,
    `(organisation_id = current_setting('app.tenant'::text))`,
    `(organisation_id = ( SELECT (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid AS "nullif"))`,
    `((organisation_id)::text = current_setting('app.tenant'::text, true))`,
    `(organisation_id = ( SELECT app.tenant_id() AS tenant_id))`,
    `(organisation_id = app.tenant_id())`,
    `(${OWN} AND (NOT deleted))`,
    `((total > 0) AND ${OWN})`,
    'false',
    `(false OR ${OWN})`,
    `((${OWN} AND (a = 1)) OR ((b = 2) AND ${OWN}))`,
  ]
  for (const expression of bound)
    it(`${expression} holds`, () => assert.deepEqual(holdingOf(expression, bond), { kind: 'bound' }))

  const loose: readonly (readonly [expression: string, kind: string])[] = [
    ['true', 'open'],
    ['(1 = 1)', 'open'],
    ['(organisation_id = organisation_id)', 'open'],
    [`(${OWN} OR true)`, 'open'],
    [`(${OWN} OR (true AND (2 = 2)))`, 'open'],
    [`(${OWN} OR (current_setting('app.admin'::text, true) = 'on'::text))`, 'switch'],
    [
      `(organisation_id = ( SELECT current_setting('app.organisation'::text, true) AS current_setting))`,
      'setting',
    ],
    [`(store_id = ${TENANT})`, 'column'],
    [`(${OWN} OR (organisation_id IS NULL))`, 'unbound'],
    [`(${OWN} OR public)`, 'unbound'],
    [`(NOT ${OWN})`, 'unbound'],
    [`(organisation_id <> ${TENANT})`, 'unbound'],
    [`(organisation_id >= ${TENANT})`, 'unbound'],
    [`(organisation_id ~~ ${TENANT})`, 'unbound'],
    [`(lower(organisation_id) = ${TENANT})`, 'switch'],
    [`((organisation_id)::character varying(3) = ${TENANT})`, 'switch'],
    [`((organisation_id)::citext = ${TENANT})`, 'switch'],
    [`(organisation_id = COALESCE(current_setting('app.tenant'::text, true), 'acme'::text))`, 'unbound'],
    [`(organisation_id = NULLIF(current_setting('app.tenant'::text, true), 'x'::text))`, 'unbound'],
    [`(organisation_id = ANY (ARRAY[current_setting('app.tenant'::text, true), 'acme'::text]))`, 'unbound'],
    [`(organisation_id IN ( SELECT organisations.id FROM organisations))`, 'unbound'],
    [`(customers.organisation_id = ${TENANT})`, 'switch'],
    [`CASE WHEN admin THEN true ELSE ${OWN} END`, 'unbound'],
    [`(EXISTS ( SELECT 1 FROM customers WHERE ${OWN}))`, 'unbound'],
    [`(organisation_id = app.other())`, 'unbound'],
    ['has_role(organisation_id)', 'unbound'],
    ['', 'unbound'],
    [`(organisation_id = ' OR ${TENANT.replaceAll("'", "''")}')`, 'unbound'],
  ]
  for (const [expression, kind] of loose)
    it(`${expression || 'nothing'} is ${kind}`, () => assert.equal(holdingOf(expression, bond).kind, kind))

  it('is judged whatever stands in it, and never holds with a free "or" beside it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        holdingOf(text, bond)
        assert.notEqual(
          holdingOf(`(${OWN} OR x${text.replace(/[^a-z0-9]/g, '')} IS NULL)`, bond).kind,
          'bound',
        )
      }),
    )
  })

  it('may ask a function whose body is the setting', () => {
    assert.equal(settingOfBody(` select current_setting('app.tenant', true); `), 'app.tenant')
    assert.equal(
      settingOfBody(
        `RETURN (SELECT NULLIF(current_setting('app.tenant'::text, true), ''::text) AS "nullif")`,
      ),
      'app.tenant',
    )
    for (const body of [
      "select 'acme'",
      `select coalesce(current_setting('app.tenant', true), 'a')`,
      `select current_setting('app.tenant') from x`,
    ])
      assert.equal(settingOfBody(body), undefined)
  })
})
