/** An administrator's ML-DSA-65 key pair, in memory for one command. */
export interface AdministratorKey {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
  wipe(): void;
}

/**
 * The key pair whose seed lies in a file that the network's first start wrote.
 * @throws KEY_FILE_MISSING, KEY_FILE_LENGTH, KEY_FILE_MODE
 */
export async function readAdministratorKey(file: string): Promise<AdministratorKey> {
  const { readSigningKey } = await import('@symmetra/node');
  const { publicKey, secretKey } = await readSigningKey(file);
  return { publicKey, secretKey, wipe: () => secretKey.fill(0) };
}
