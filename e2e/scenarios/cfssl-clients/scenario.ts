import type { Scenario } from '../../harness/scenario.ts';
import { ensureRealCfssl } from '../../oracle/cfssl.ts';
import { compareGencert, compareInfo, compareLooking, compareSign } from './clients.ts';
import { sharedKey, signingConfig } from './config.ts';
import { makeAuthority, type Stage, startLenient, startReal, startStrict } from './faces.ts';
import { makeInputs } from './inputs.ts';
import { compareRevocation } from './revocations.ts';
import { compareAnswers } from './same-answers.ts';
import { openSender } from './sender.ts';
import { addProfiles, compareStrictness, useAuthenticated, useToken } from './strictness.ts';
import { takeOverAndGiveBack } from './take-over.ts';

export const scenario: Scenario = {
  name: 'cfssl-clients',
  about: 'the real cfssl and its clients beside rfo ca serve, on one key, one configuration and the same requests: the same answers',
  short: true,
  timeout: 900_000,
  run: async ({ lab, life, step, check, note }) => {
    // Built once in minutes, then there.
    const programs = await step('the real cfssl is there', () => ensureRealCfssl(life.signal));
    const host = await lab.addHost({ name: 'ca' });
    const stage: Stage = { host, programs, life, send: await openSender(host, life) };
    const inputs = await makeInputs();
    const running = await step('a CA is made, and cfssl, a lenient and a strict server run on its key', async () => {
      await makeAuthority(stage, signingConfig);
      await addProfiles(stage);
      const [real, lenient] = await Promise.all([startReal(stage), startLenient(stage), startStrict(stage)]);
      return { real, lenient };
    });
    await check('to every request both give the same answer', async () => {
      note(`${await compareAnswers(stage, inputs)} requests`);
    });
    await check('cfssl info says the same of both', () => compareInfo(stage));
    await check('cfssl gencert gets the same certificate from both with a shared key', () => compareGencert(stage, sharedKey));
    await check('cfssl sign gets the same certificate from both', () => compareSign(stage, inputs));
    await check('cfssl bundle and certinfo see in a certificate what the API sees', () => compareLooking(stage, inputs));
    await check('cfssl revoke and crl work on the database of a running RFO, and openssl sees it at once', () =>
      compareRevocation(stage, inputs),
    );
    await check('what cfssl does for everybody is refused by default, each by its name', () => compareStrictness(stage, inputs));
    await check('an operator may still have it done, who has a key that no profile names', () => useAuthenticated(stage));
    await check('cfssl gencert joins one node with a one-time token, and no other', () => useToken(stage));
    await check('the database and configuration of a cfssl are taken over, and given back', () =>
      takeOverAndGiveBack(stage, inputs, running),
    );
  },
};
