import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseLanguage } from './choose-language.ts';

const choose = (header: string | undefined) => chooseLanguage(header, ['en', 'zh-CN']);

test('what a browser set to Chinese sends gets Chinese, whichever Chinese it is', () => {
  for (const header of ['zh-CN', 'zh-CN,zh;q=0.9,en;q=0.8', 'zh-TW,en-US;q=0.7', 'ZH-hans-cn', 'zh', 'fr-CH, zh;q=0.5'])
    assert.equal(choose(header), 'zh-CN', header);
});

test('everybody else gets the first language that is offered', () => {
  for (const header of [undefined, '', '*', 'fr', 'de-DE,de;q=0.9', 'en-US,en;q=0.9', 'zhx, zha-CN', '*;q=0.5'])
    assert.equal(choose(header), 'en', String(header));
});

test('the higher quality counts, wherever it stands', () => {
  assert.equal(choose('zh;q=0.3, en;q=0.7'), 'en');
  assert.equal(choose('en;q=0.7, zh-CN;q=0.8'), 'zh-CN');
  assert.equal(choose('en;q=0.001, zh;q=0.002'), 'zh-CN');
  assert.equal(choose('zh-TW;q=0.2, en;q=0.5, zh-CN;q=0.9'), 'zh-CN');
});

test('of two that are wanted alike the first one named counts', () => {
  assert.equal(choose('zh, en'), 'zh-CN');
  assert.equal(choose('en, zh'), 'en');
  assert.equal(choose('en;q=0.5\t,  zh ; q=0.5'), 'en');
});

test('a quality of 0 refuses a language, and a star stands for those that are not named', () => {
  assert.equal(choose('zh;q=0'), 'en');
  assert.equal(choose('zh;q=0, *'), 'en');
  assert.equal(choose('en;q=0, *'), 'zh-CN');
  assert.equal(choose('zh;q=0.4, *;q=0.5'), 'en');
  assert.equal(choose('en;q=0.4, *;q=0.5'), 'zh-CN');
});

test('what is no range is passed over, and the rest counts', () => {
  for (const broken of [
    'zh;q=2',
    'zh;q=1.5',
    'zh;q=0.1234',
    'zh;q=-1',
    'zh;q=',
    'zh q=1',
    'zh_CN',
    'zh-',
    'zh;level=1',
    ';q=1',
    'zh-CN-abcdefghi',
  ])
    assert.equal(choose(`${broken}, en;q=0.1`), 'en', broken);
  assert.equal(choose(',, ,zh,;'), 'zh-CN');
});
