// Original file: proto/symmetra/pairwise/v1/pairwise.proto


export interface ReportResponse {
}

export interface ReportResponse__Output {
}
