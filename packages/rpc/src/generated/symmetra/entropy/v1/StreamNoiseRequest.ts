// Original file: proto/symmetra/entropy/v1/entropy.proto


export interface StreamNoiseRequest {
  /**
   * Name of the source; empty: whichever the server chooses.
   */
  'source'?: (string);
  /**
   * Samples in a block, as the caller would like them, 1 to 65,536; the server may send fewer. 0: as the server likes.
   */
  'blockSamples'?: (number);
}

export interface StreamNoiseRequest__Output {
  /**
   * Name of the source; empty: whichever the server chooses.
   */
  'source': (string);
  /**
   * Samples in a block, as the caller would like them, 1 to 65,536; the server may send fewer. 0: as the server likes.
   */
  'blockSamples': (number);
}
