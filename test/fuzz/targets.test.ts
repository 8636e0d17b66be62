import { describe, expect, test } from 'vitest';
import { filesUnder, packageNames, read, sourcesOf, withoutComments } from '../architecture/source-tree.js';

const READER = /^export (?:async )?function ((?:decode|inspect|parse|read|receive)[A-Z]\w*)/gm;

/** Readers that a test reaches through another function, which stands in the tests by this name. */
const REACHED_THROUGH: Readonly<Record<string, string>> = {
  decodeOfferBody: 'receiveOffer',
  decodeOffer: 'inspectOffer',
  decodeAnswer: 'receiveAnswer',
  decodeConfirmation: 'inspectConfirmation',
  decodeR1Head: 'inspectR1',
  decodeR1: 'receiveR1',
  decodeR1Body: 'receiveR1',
  decodeR2: 'receiveR2',
  decodeR2Body: 'receiveR2',
  decodeR3: 'receiveR3',
  decodeOpenBody: 'inspectOpen',
  decodeOpen: 'receiveOpen',
  decodeGrant: 'receiveSessionAnswer',
  readCount: 'decodeState',
  readNodeId: 'decodeHeader',
  readPreamble: 'inspectOffer',
  readLimits: 'decodeHeader',
  decodeBroadcast: 'readBroadcast',
  readDue: 'readBroadcast',
  readLines: 'serveOwner',
  readJsonFile: 'openDevice',
  readNetworkFile: 'startNetwork',
  readSigningKey: 'startNetwork',
  readBase64: 'httpProfile',
  readHex: 'httpProfile',
  readJsonAt: 'httpProfile',
  readValue: 'httpProfile',
  readAscii: 'httpProfile',
  readEgdLength: 'streamSource',
  readWhole: 'readMembers',
  readEnd: 'inspectLinkOpen',
  decodeLinkOpen: 'inspectLinkOpen',
  decodeLinkOpenBody: 'inspectLinkOpen',
  decodeLinkAnswer: 'receiveLinkAnswer',
  decodeLinkAnswerBody: 'receiveLinkAnswer',
  decodeLinkConfirm: 'inspectLinkConfirm',
  decodeLinkConfirmBody: 'inspectLinkConfirm',
  decodeLinkDone: 'receiveLinkDone',
  readYamlFile: 'readNodeConfig',
  parseYaml: 'readNodeConfig',
};

/** Readers of what no stranger writes, with what stands in for fuzzing them. */
const NOT_FUZZED: Readonly<Record<string, string>> = {
  readToken: 'a text that decodeToken reads',
  readPassphrase: 'a text that is used as it is',
  readAdministratorKey: 'the file that readSigningKey reads',
  receiveFile: 'a channel whose header parseHeader reads',
  readTls: 'texts that the TLS library reads',
};

const readers = packageNames
  .filter((name) => name !== 'testing')
  .flatMap(sourcesOf)
  .flatMap((file) => [...withoutComments(read(file)).matchAll(READER)].map(([, name = '']) => name));
const tests = filesUnder('test/fuzz')
  .filter((file) => !file.endsWith('targets.test.ts'))
  .map((file) => read(file))
  .join('\n');

const isNamed = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(tests);

describe('every reader of bytes and texts that the packages export', () => {
  test('is found at all', () => {
    expect(readers.length).toBeGreaterThan(40);
  });

  test('is fuzzed, by itself or through what calls it', () => {
    const missing = readers.filter(
      (name) => !isNamed(REACHED_THROUGH[name] ?? name) && NOT_FUZZED[name] === undefined,
    );
    expect(missing).toEqual([]);
  });

  test('stands in the lists of exceptions only as long as it is there', () => {
    const listed = [...Object.keys(REACHED_THROUGH), ...Object.keys(NOT_FUZZED)];
    expect(listed.filter((name) => !readers.includes(name))).toEqual([]);
  });
});
