export { type BrokenAnswer, brokenAnswerer } from './broken-request.ts';
export { chooseLanguage } from './choose-language.ts';
export { whileUnchanged } from './file-cache.ts';
export { createLimit, type Limit } from './limit.ts';
export { limitRate, type Rate, refill } from './limit-rate.ts';
export { listen, openConnections } from './listen.ts';
export { readBody } from './read-body.ts';
export { within } from './within.ts';
