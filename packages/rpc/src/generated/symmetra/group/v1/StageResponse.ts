// Original file: proto/symmetra/group/v1/group.proto


export interface StageResponse {
  /**
   * Device ids staged by now.
   */
  'staged'?: (number);
}

export interface StageResponse__Output {
  /**
   * Device ids staged by now.
   */
  'staged': (number);
}
