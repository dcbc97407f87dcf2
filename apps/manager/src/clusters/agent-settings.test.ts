import assert from 'node:assert/strict';
import { it } from 'node:test';
import { renderAgentSettings, type SettingsInput } from './agent-settings.ts';

const nothing: SettingsInput = { url: undefined, ca: undefined, nextUrl: undefined, nextCa: undefined, authority: undefined };
const url = 'https://rfo.example.com';

it('without an address there are no settings', () => {
  assert.equal(renderAgentSettings({ ...nothing, nextUrl: url }), undefined);
});

it('agents know the manager by ca-bundle, else by the authority of its certificate, else by what their system trusts', () => {
  const of = (input: Partial<SettingsInput>) => {
    const { ca, system } = renderAgentSettings({ ...nothing, url, ...input }) ?? assert.fail('none');
    return { ca, system };
  };
  assert.deepEqual(of({ ca: 'BUNDLE', authority: 'OWN' }), { ca: 'BUNDLE\n', system: false });
  assert.deepEqual(of({ authority: 'OWN' }), { ca: 'OWN\n', system: false });
  assert.deepEqual(of({}), { ca: '', system: true });
});

it('what will be stands behind what is, and takes nothing away', () => {
  const settings = renderAgentSettings({
    url: `${url}/`,
    nextUrl: 'https://new.example.com',
    ca: 'OLD',
    nextCa: 'NEW\n',
    authority: 'OWN',
  });
  assert.deepEqual([settings?.servers, settings?.ca, settings?.system], [[url, 'https://new.example.com'], 'OLD\nNEW\n', false]);
  const trusted = renderAgentSettings({ ...nothing, url, nextCa: 'NEW' });
  assert.deepEqual([trusted?.ca, trusted?.system], ['NEW\n', true]);
});

it('the hash changes with anything that an agent has to know', () => {
  const inputs = [
    { ...nothing, url },
    { ...nothing, url, nextUrl: 'https://new.example.com' },
    { ...nothing, url, ca: 'A' },
    { ...nothing, url, nextCa: 'A' },
  ];
  assert.equal(new Set(inputs.map((input) => renderAgentSettings(input)?.hash)).size, inputs.length);
  assert.equal(renderAgentSettings({ ...nothing, url })?.hash, renderAgentSettings({ ...nothing, url: `${url}/` })?.hash);
});
