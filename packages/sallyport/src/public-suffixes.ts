// `sallyport/public-suffixes`: the public suffix list, for hosts where it can't be loaded when a policy needs it. Imported
// for its effect, before the policy is compiled.

import { providePublicSuffixes } from './policy/public-suffix.ts'
import { PUBLIC_SUFFIX_DATE, PUBLIC_SUFFIXES } from './policy/public-suffix-data.ts'

providePublicSuffixes({ text: PUBLIC_SUFFIXES, date: PUBLIC_SUFFIX_DATE })
