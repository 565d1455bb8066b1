// A statement as a CycloneDX 1.6 attestation. Requirements are those of ASVS 5.0.0 by the references under which OWASP
// publishes it (V3.4.1). A control supports a requirement; no score says that an API meets it.

import { controls } from '../register.ts'
import { GENERAL } from '../verify/judge-general.ts'
import { uuidsOf } from './identifiers.ts'
import { DETAIL, isProved, type Statement } from './statement.ts'

const SUPPORTS =
  'The control supports this requirement; whether it is met depends on more than the security layer.'

/** Converts a statement. */
export function cycloneDxOf(statement: Statement): unknown {
  const uuid = uuidsOf(statement)
  const { predicate, subject } = statement
  const detail = predicate[DETAIL]
  const [target] = subject
  const seen = detail.controls.filter(({ id, of }) => of > 0 && id !== GENERAL.name)
  const bySupport = requirementsOf(seen.map(({ id }) => id))
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuid('bom')}`,
    version: 1,
    metadata: {
      timestamp: predicate.timeCreated,
      tools: { components: [{ type: 'application', name: 'sallyport', version: detail.version }] },
      component: {
        type: 'application',
        'bom-ref': 'deployment',
        name: target!.name,
        version: target!.digest.sha256,
        description: 'An HTTP API under a policy; the version is the digest of the policy.',
      },
    },
    declarations: {
      assessors: [{ 'bom-ref': 'verifier', thirdParty: false, organization: { name: 'sallyport verify' } }],
      attestations: [
        {
          summary: `${detail.passed} of ${detail.of} probes of the deployment hold.`,
          assessor: 'verifier',
          map: [...bySupport].map(([requirement, ids]) => ({
            requirement,
            claims: ids.filter((id) => isProved(statement, id)).map(claimRef),
            counterClaims: ids.filter((id) => !isProved(statement, id)).map(claimRef),
            conformance: { rationale: SUPPORTS },
          })),
        },
      ],
      claims: seen.map(({ id, title }) => ({
        'bom-ref': claimRef(id),
        target: 'target',
        predicate: `${title}: every answer is as the policy declares it.`,
        ...(isProved(statement, id)
          ? { evidence: [evidenceRef(id)] }
          : { counterEvidence: [evidenceRef(id)] }),
      })),
      evidence: seen.map(({ id, passed, of }) => ({
        'bom-ref': evidenceRef(id),
        propertyName: `sallyport:control:${id}`,
        description: `${passed} of ${of} probes hold.`,
        data: [
          {
            name: 'findings',
            contents: {
              attachment: {
                contentType: 'application/json',
                content: JSON.stringify(detail.findings.filter(({ control }) => control === id)),
              },
            },
          },
        ],
        created: predicate.timeCreated,
        expires: detail.expires,
      })),
      targets: { components: [{ type: 'application', 'bom-ref': 'target', name: target!.name }] },
    },
    definitions: {
      standards: [
        {
          'bom-ref': 'ASVS-5.0.0',
          name: 'Application Security Verification Standard',
          version: '5.0.0',
          owner: 'OWASP Foundation',
          requirements: [...bySupport.keys()].map((id) => ({ 'bom-ref': id, identifier: id })),
        },
      ],
    },
  }
}

const claimRef = (id: string) => `claim-${id}`
const evidenceRef = (id: string) => `evidence-${id}`

/** The requirements that controls support, each with its controls. */
function requirementsOf(ids: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { id, standards } of controls) {
    if (!ids.includes(id)) continue
    for (const requirement of standards.asvs) {
      const ref = `V${requirement}`
      found.set(ref, [...(found.get(ref) ?? []), id])
    }
  }
  return new Map([...found].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })))
}
