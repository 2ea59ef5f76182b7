// Bounds of the eigenvalues of a symmetric matrix that hold whatever the solver's rounding was.
#pragma once
#include <cstdint>
#include <vector>

#include "certificate/matrix.hpp"

namespace limrisk::certificate {

/// Every double operation is exact up to this part of its result, if that is not subnormal.
inline constexpr double unit_roundoff = 0x1p-53;

/// An upper bound of n u / (1 - n u), which bounds the relative error of sums and products of n terms in any order, fused or not (Higham,
/// "Accuracy and Stability of Numerical Algorithms", 2nd ed., section 3.1), for n up to 2^40.
double sum_error(std::int64_t n);

/// An upper bound of the Frobenius norm: the computed one, enlarged by what its rounding and its subnormal squares can be. Infinite for
/// more than 2^22 numbers, or if one of them is not finite.
double norm_above(const Matrix& matrix);

struct EigenvalueBounds {
    std::vector<double> values;  ///< ascending, as the solver gave them; all at most infinite
    Matrix vectors;              ///< [size][size] approximate, by columns
    double residual = 0;         ///< of vectors^T A vectors - diag(values), spectral norm at most
    double skewness = 0;         ///< of vectors^T vectors - 1, spectral norm at most

    /// Bounds of eigenvalue k (ascending) of the matrix; low is at least 0 only if that is proved, -infinity if nothing is.
    double low(std::int64_t k) const;
    double high(std::int64_t k) const;
};

/// Of the symmetric matrix exactly as stored: docs/proofs.md section 6. The same numbers on every machine.
EigenvalueBounds eigenvalue_bounds(const Matrix& symmetric);

}  // namespace limrisk::certificate
