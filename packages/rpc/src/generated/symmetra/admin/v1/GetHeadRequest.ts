// Original file: proto/symmetra/admin/v1/admin.proto


export interface GetHeadRequest {
}

export interface GetHeadRequest__Output {
}
