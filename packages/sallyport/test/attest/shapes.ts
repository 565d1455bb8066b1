// What the two formats ask of the parts that we write, in our own words: every object closed, every required member
// named. The published schemas are larger, and held against in published.test.ts.

const text = { type: 'string', minLength: 1, pattern: '^\\S(.*\\S)?$' }
const time = {
  type: 'string',
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d)$',
}
// OSCAL takes versions 4 and 5 alone.
const uuid = {
  type: 'string',
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
}
// RFC 3986, section 3; OSCAL's own pattern asks for no more.
const uri = { type: 'string', pattern: '^[a-zA-Z][a-zA-Z0-9+.-]+:.+$' }
const token = { type: 'string', pattern: '^(\\p{L}|_)(\\p{L}|\\p{N}|[.\\-_])*$' }
const sha256 = { type: 'string', pattern: '^[0-9a-f]{64}$' }

function closed(required: Record<string, unknown>, optional: Record<string, unknown> = {}): object {
  return {
    type: 'object',
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  }
}

const listOf = (items: object, minItems = 1) => ({ type: 'array', items, minItems })
const set = (items: object) => ({ ...listOf(items, 0), uniqueItems: true })

const resource = closed({ name: text, digest: closed({ sha256 }) }, { uri: text })

/** in-toto Statement v1 with an SVR v0.2 predicate. */
export const statementShape = closed({
  _type: { const: 'https://in-toto.io/Statement/v1' },
  subject: listOf(resource),
  predicateType: { const: 'https://in-toto.io/attestation/svr/v0.2' },
  predicate: {
    ...closed({
      verifier: closed({ id: uri, policies: listOf(resource, 0) }),
      timeCreated: time,
      properties: set({ type: 'string', pattern: '^SALLYPORT_[A-Z0-9_]+$' }),
    }),
    // The in-toto parsing rules let producers add fields.
    additionalProperties: { type: 'object' },
  },
})

/** DSSE's JSON envelope. */
export const envelopeShape = closed({
  payload: { type: 'string', pattern: '^[A-Za-z0-9+/]+=*$' },
  payloadType: { const: 'application/vnd.in-toto+json' },
  signatures: listOf(closed({ keyid: sha256, sig: { type: 'string', pattern: '^[A-Za-z0-9+/]{86}==$' } })),
})

const component = closed(
  { type: { const: 'application' }, name: text },
  { 'bom-ref': text, version: text, description: text },
)

/** CycloneDX 1.6. */
export const cycloneDxShape = closed({
  bomFormat: { const: 'CycloneDX' },
  specVersion: { const: '1.6' },
  serialNumber: { type: 'string', pattern: uuid.pattern.replace('^', '^urn:uuid:') },
  version: { const: 1 },
  metadata: closed({ timestamp: time, tools: closed({ components: listOf(component) }), component }),
  declarations: closed({
    assessors: listOf(
      closed({ 'bom-ref': text, thirdParty: { const: false }, organization: closed({ name: text }) }),
    ),
    attestations: listOf(
      closed({
        summary: text,
        assessor: text,
        map: listOf(
          closed({
            requirement: { type: 'string', pattern: '^V\\d+\\.\\d+\\.\\d+$' },
            claims: set(text),
            counterClaims: set(text),
            // No score: nothing here says that an API meets a requirement.
            conformance: closed({ rationale: text }),
          }),
        ),
      }),
    ),
    claims: listOf(
      closed(
        { 'bom-ref': text, target: text, predicate: text },
        { evidence: set(text), counterEvidence: set(text) },
      ),
    ),
    evidence: listOf(
      closed({
        'bom-ref': text,
        propertyName: text,
        description: text,
        data: listOf(
          closed({
            name: text,
            contents: closed({ attachment: closed({ content: text, contentType: text }) }),
          }),
        ),
        created: time,
        expires: time,
      }),
    ),
    targets: closed({ components: listOf(component) }),
  }),
  definitions: closed({
    standards: listOf(
      closed({
        'bom-ref': text,
        name: text,
        version: text,
        owner: text,
        requirements: listOf(closed({ 'bom-ref': text, identifier: text })),
      }),
    ),
  }),
})

const prop = closed({ name: token, value: text }, { ns: uri })

/** OSCAL component definition 1.1.3. */
export const oscalShape = closed({
  'component-definition': closed({
    uuid,
    metadata: closed({
      title: text,
      'last-modified': time,
      version: text,
      'oscal-version': { const: '1.1.3' },
    }),
    components: listOf(
      closed({
        uuid,
        type: text,
        title: text,
        description: text,
        props: listOf(prop),
        'control-implementations': listOf(
          closed({
            uuid,
            source: { type: 'string', pattern: '^https://' },
            description: text,
            'implemented-requirements': listOf(
              closed({
                uuid,
                'control-id': { type: 'string', pattern: '^[a-z]{2}-\\d+(\\.\\d+)?$' },
                description: text,
                props: listOf(prop),
              }),
            ),
          }),
        ),
      }),
    ),
  }),
})
