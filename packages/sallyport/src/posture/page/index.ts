// The posture page: the policy that runs, as a reviewer reads it. Importing this lets a guard publish it.

export { postureHtml } from './html.ts'
export { LINK_KEY_MIN, LINK_KEY_VARIABLE, reviewerLink } from './link.ts'
export { postureMarkdown } from './markdown.ts'
export {
  type AcceptedWeakness,
  type Audience,
  createPosture,
  type LastVerification,
  type PolicyChange,
  type Posture,
  type PostureCell,
  type PostureOptions,
  type PostureSection,
} from './model.ts'
export { type PublishedFacts, publishFacts } from './publish.ts'
