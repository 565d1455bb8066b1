// A statement as an OSCAL component definition (1.1.3): the security layer as a component, and the controls of NIST SP
// 800-53 that it supports, each with what was proved.

import { controls } from '../register.ts'
import { GENERAL } from '../verify/judge-general.ts'
import { uuidsOf } from './identifiers.ts'
import { DETAIL, isProved, type Statement } from './statement.ts'

const NAMESPACE = 'pkg:npm/sallyport#oscal'
// NIST's own catalog of SP 800-53 revision 5.
const CATALOG =
  'https://raw.githubusercontent.com/usnistgov/oscal-content/main/nist.gov/SP800-53/rev5/json/NIST_SP-800-53_rev5_catalog.json'

/** Converts a statement. */
export function oscalOf(statement: Statement): unknown {
  const uuid = uuidsOf(statement)
  const { predicate, subject } = statement
  const detail = predicate[DETAIL]
  const [target] = subject
  const seen = detail.controls.filter(({ id, of }) => of > 0 && id !== GENERAL.name)
  return {
    'component-definition': {
      uuid: uuid('component-definition'),
      metadata: {
        title: `Security layer of ${target!.name}`,
        'last-modified': predicate.timeCreated,
        version: target!.digest.sha256,
        'oscal-version': '1.1.3',
      },
      components: [
        {
          uuid: uuid('component'),
          type: 'service',
          title: target!.name,
          description: 'An HTTP API under a policy of sallyport, verified from outside.',
          props: [
            prop('policy-digest', `sha256:${target!.digest.sha256}`),
            prop('probes-passed', String(detail.passed)),
            prop('probes-run', String(detail.of)),
            prop('verified-at', predicate.timeCreated),
            prop('expires-at', detail.expires),
          ],
          'control-implementations': [
            {
              uuid: uuid('control-implementation'),
              source: CATALOG,
              description:
                'What the policy supports of each control; a system needs more than its security layer to meet one.',
              'implemented-requirements': [...requirementsOf(seen.map(({ id }) => id))].map(
                ([control, ids]) => ({
                  uuid: uuid(control),
                  'control-id': control,
                  description: ids
                    .map((id) => {
                      const { title, passed, of } = seen.find((each) => each.id === id)!
                      return `${title} (${id}) supports this control: ${passed} of ${of} probes hold.`
                    })
                    .join(' '),
                  props: ids.map((id) => prop(isProved(statement, id) ? 'verified-by' : 'not-held-by', id)),
                }),
              ),
            },
          ],
        },
      ],
    },
  }
}

function prop(name: string, value: string): unknown {
  return { name, ns: NAMESPACE, value }
}

function requirementsOf(ids: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { id, standards } of controls) {
    if (!ids.includes(id)) continue
    for (const requirement of standards.nist) {
      const control = controlId(requirement)
      found.set(control, [...(found.get(control) ?? []), id])
    }
  }
  return new Map([...found].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })))
}

/** `SC-8(1)` is `sc-8.1` in the catalog. */
function controlId(requirement: string): string {
  return requirement.toLowerCase().replace(/\((\d+)\)/, '.$1')
}
