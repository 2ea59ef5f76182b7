// Ostrowski's theorem (Horn and Johnson, "Matrix Analysis", theorem 4.5.9): the eigenvalues of S^T A S are those of A times numbers between
// the least and the largest eigenvalue of S^T S; and Weyl's: those of two symmetric matrices differ by at most the norm of the difference.
#include "optimum/eigenvalue_bounds.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <limits>

namespace limrisk::optimum {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double tiny = 0x1p-500;  ///< more than all subnormal losses of at most 2^22 products together

/// The next double after twice the rounding of a few operations on numbers >= 0.
double enlarged(double x) { return x * (1 + 0x1p-30) + tiny; }

}  // namespace

double sum_error(std::int64_t n) { return enlarged(static_cast<double>(n) * unit_roundoff * (1 + 0x1p-12)); }

double norm_above(const Eigen::MatrixXd& matrix) {
    if (matrix.size() > (1 << 22)) return infinity;
    const double norm = std::sqrt(matrix.cwiseAbs2().sum());
    return std::isfinite(norm) ? enlarged(norm) : infinity;
}

double EigenvalueBounds::low(Eigen::Index k) const {
    if (!(skewness < 0.5 && residual < infinity)) return -infinity;
    const double value = values(k) - residual * (1 + 0x1p-30) - std::fabs(values(k)) * 0x1p-50 - tiny;
    return value > 0 ? value / (1 + skewness) * (1 - 0x1p-30) : value / (1 - skewness) * (1 + 0x1p-30);
}

double EigenvalueBounds::high(Eigen::Index k) const {
    if (!(skewness < 0.5 && residual < infinity)) return infinity;
    const double value = values(k) + residual * (1 + 0x1p-30) + std::fabs(values(k)) * 0x1p-50 + tiny;
    return value > 0 ? value / (1 - skewness) * (1 + 0x1p-30) : value / (1 + skewness) * (1 - 0x1p-30);
}

EigenvalueBounds eigenvalue_bounds(const Eigen::MatrixXd& symmetric) {
    const Eigen::MatrixXd matrix = symmetric.selfadjointView<Eigen::Lower>();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix);
    EigenvalueBounds bounds{solver.eigenvalues(), solver.eigenvectors(), infinity, infinity};
    const std::int64_t n = matrix.rows();
    const double error = sum_error(n), size = norm_above(matrix), vectors = norm_above(bounds.vectors);
    const Eigen::MatrixXd images = matrix * bounds.vectors;
    Eigen::MatrixXd rest = bounds.vectors.transpose() * images, skew = bounds.vectors.transpose() * bounds.vectors;
    // Each difference is one operation more on the diagonal.
    const double of_rest = enlarged(enlarged(error * vectors * norm_above(images)) + enlarged(error * vectors * vectors * size)),
                 of_skew = enlarged(error * vectors * vectors);
    for (Eigen::Index k = 0; k < n; ++k) {
        rest(k, k) -= bounds.values(k);
        skew(k, k) -= 1;
    }
    bounds.residual = enlarged(norm_above(rest) + of_rest);
    bounds.skewness = enlarged(norm_above(skew) + of_skew);
    return bounds;
}

}  // namespace limrisk::optimum
