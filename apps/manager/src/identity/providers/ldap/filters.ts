/** Filters with values from outside: built as objects and never as text, so that no value can become a part of the filter. */
import { AndFilter, EqualityFilter, ExtensibleFilter, type Filter, OrFilter, SubstringFilter } from 'ldapts';

/** LDAP_MATCHING_RULE_IN_CHAIN of Active Directory (MS-ADTS 3.1.1.3.4.4). */
const inChainRule = '1.2.840.113556.1.4.1941';

export const is = (attribute: string, value: string | Buffer): Filter => new EqualityFilter({ attribute, value });
export const begins = (attribute: string, initial: string): Filter => new SubstringFilter({ attribute, initial });
export const inChain = (attribute: string, dn: string): Filter =>
  new ExtensibleFilter({ matchType: attribute, rule: inChainRule, value: dn });
export const both = (one: Filter, other: Filter): Filter => new AndFilter({ filters: [one, other] });
export const any = (filters: readonly Filter[]): Filter => new OrFilter({ filters: [...filters] });
