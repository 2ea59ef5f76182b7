// Ostrowski's theorem (Horn and Johnson, "Matrix Analysis", theorem 4.5.9): the eigenvalues of S^T A S are those of A times numbers between
// the least and the largest eigenvalue of S^T S; and Weyl's: those of two symmetric matrices differ by at most the norm of the difference.
#include "certificate/eigenvalue_bounds.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace limrisk::certificate {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double tiny = 0x1p-500;  ///< more than all subnormal losses of at most 2^22 products together

/// The next double after twice the rounding of a few operations on numbers >= 0.
double enlarged(double x) { return x * (1 + 0x1p-30) + tiny; }

double length(double a, double b) {
    const double larger = std::max(std::fabs(a), std::fabs(b)), smaller = std::min(std::fabs(a), std::fabs(b));
    return larger == 0 ? 0 : larger * std::sqrt(1 + (smaller / larger) * (smaller / larger));
}

/// Eigenvalues and vectors, by reflections to a tridiagonal matrix and the QL iteration with implicit shifts (Bowdler, Martin, Reinsch and
/// Wilkinson, Numerische Mathematik 11, 1968: tred2 and tql2). Nothing rests on them, but they are the same everywhere.
class Solver {
public:
    explicit Solver(Matrix matrix) : n_(matrix.rows()), v_(std::move(matrix)), d_(size()), e_(size()) {
        reflect();
        accumulate();
        for (std::int64_t l = 0; l + 1 < n_; ++l) e(l) = e(l + 1);
        if (n_ > 0) e(n_ - 1) = 0;
        for (std::int64_t l = 0; l < n_; ++l) find(l);
    }
    /// Ascending.
    void write(EigenvalueBounds& bounds) const {
        std::vector<std::int64_t> order(size());
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return d(a) < d(b); });
        bounds.vectors = Matrix(n_, n_);
        for (std::int64_t k = 0; k < n_; ++k) {
            const std::int64_t from = order[static_cast<std::size_t>(k)];
            bounds.values.push_back(d(from));
            std::copy(v_.column(from), v_.column(from) + n_, bounds.vectors.column(k));
        }
    }

private:
    std::size_t size() const { return static_cast<std::size_t>(n_); }
    double& d(std::int64_t k) { return d_[static_cast<std::size_t>(k)]; }
    double d(std::int64_t k) const { return d_[static_cast<std::size_t>(k)]; }
    double& e(std::int64_t k) { return e_[static_cast<std::size_t>(k)]; }

    /// To the diagonal d and e beside it, e(i) between i - 1 and i; what the reflections are stays in v.
    void reflect() {
        for (std::int64_t j = 0; j < n_; ++j) d(j) = v_(n_ - 1, j);
        for (std::int64_t i = n_ - 1; i > 0; --i) {
            double scale = 0, h = 0;
            for (std::int64_t k = 0; k < i; ++k) scale += std::fabs(d(k));
            if (scale == 0) {
                e(i) = d(i - 1);
                for (std::int64_t j = 0; j < i; ++j) {
                    d(j) = v_(i - 1, j);
                    v_(i, j) = v_(j, i) = 0;
                }
                d(i) = 0;
                continue;
            }
            for (std::int64_t k = 0; k < i; ++k) {
                d(k) /= scale;
                h += d(k) * d(k);
            }
            const double last = d(i - 1), root = last > 0 ? -std::sqrt(h) : std::sqrt(h);
            e(i) = scale * root;
            h -= last * root;
            d(i - 1) = last - root;
            for (std::int64_t j = 0; j < i; ++j) e(j) = 0;
            for (std::int64_t j = 0; j < i; ++j) {
                v_(j, i) = d(j);
                double sum = e(j) + v_(j, j) * d(j);
                for (std::int64_t k = j + 1; k < i; ++k) {
                    sum += v_(k, j) * d(k);
                    e(k) += v_(k, j) * d(j);
                }
                e(j) = sum;
            }
            double sum = 0;
            for (std::int64_t j = 0; j < i; ++j) {
                e(j) /= h;
                sum += e(j) * d(j);
            }
            for (std::int64_t j = 0; j < i; ++j) e(j) -= sum / (h + h) * d(j);
            for (std::int64_t j = 0; j < i; ++j) {
                for (std::int64_t k = j; k < i; ++k) v_(k, j) -= d(j) * e(k) + e(j) * d(k);
                d(j) = v_(i - 1, j);
                v_(i, j) = 0;
            }
            d(i) = h;
        }
    }

    void accumulate() {
        for (std::int64_t i = 0; i + 1 < n_; ++i) {
            v_(n_ - 1, i) = v_(i, i);
            v_(i, i) = 1;
            const double h = d(i + 1);
            for (std::int64_t j = 0; h != 0 && j <= i; ++j) {
                double sum = 0;
                for (std::int64_t k = 0; k <= i; ++k) sum += v_(k, i + 1) * v_(k, j);
                for (std::int64_t k = 0; k <= i; ++k) v_(k, j) -= sum * (v_(k, i + 1) / h);
            }
            for (std::int64_t k = 0; k <= i; ++k) v_(k, i + 1) = 0;
        }
        for (std::int64_t j = 0; j < n_; ++j) {
            d(j) = v_(n_ - 1, j);
            v_(n_ - 1, j) = 0;
        }
        if (n_ > 0) v_(n_ - 1, n_ - 1) = 1;
    }

    /// Eigenvalue number l. e(l) is between l and l + 1 here.
    void find(std::int64_t l) {
        constexpr int most_sweeps = 60;
        largest_ = std::max(largest_, std::fabs(d(l)) + std::fabs(e(l)));
        const double small = 0x1p-52 * largest_;
        std::int64_t m = l;
        while (m + 1 < n_ && std::fabs(e(m)) > small) ++m;
        for (int sweep = 0; m > l && std::fabs(e(l)) > small && sweep < most_sweeps; ++sweep) {
            const double g = d(l);
            double p = (d(l + 1) - g) / (2 * e(l));
            const double r = p < 0 ? -length(p, 1) : length(p, 1);
            d(l) = e(l) / (p + r);
            d(l + 1) = e(l) * (p + r);
            const double next = d(l + 1), shift = g - d(l), beside = e(l + 1);
            for (std::int64_t i = l + 2; i < n_; ++i) d(i) -= shift;
            shift_ += shift;
            p = d(m);
            double c = 1, c2 = 1, c3 = 1, s = 0, s2 = 0;
            for (std::int64_t i = m - 1; i >= l; --i) {
                c3 = c2;
                c2 = c;
                s2 = s;
                const double along = c * e(i), across = c * p, size = length(p, e(i));
                e(i + 1) = s * size;
                s = e(i) / size;
                c = p / size;
                p = c * d(i) - s * along;
                d(i + 1) = across + s * (c * along + s * d(i));
                double *left = v_.column(i), *right = v_.column(i + 1);
                for (std::int64_t k = 0; k < n_; ++k) {
                    const double x = left[k], y = right[k];
                    right[k] = s * x + c * y;
                    left[k] = c * x - s * y;
                }
            }
            p = -s * s2 * c3 * beside * e(l) / next;
            e(l) = s * p;
            d(l) = c * p;
        }
        d(l) += shift_;
        e(l) = 0;
    }

    std::int64_t n_;
    Matrix v_;
    std::vector<double> d_, e_;
    double shift_ = 0, largest_ = 0;
};

}  // namespace

double sum_error(std::int64_t n) { return enlarged(static_cast<double>(n) * unit_roundoff * (1 + 0x1p-12)); }

double norm_above(const Matrix& matrix) {
    const auto count = static_cast<std::int64_t>(matrix.values().size());
    if (count > (1 << 22)) return infinity;
    const double norm = std::sqrt(dot(matrix.values().data(), matrix.values().data(), count));
    return std::isfinite(norm) ? enlarged(norm) : infinity;
}

double EigenvalueBounds::low(std::int64_t k) const {
    if (!(skewness < 0.5 && residual < infinity)) return -infinity;
    const double found = values[static_cast<std::size_t>(k)], value = found - residual * (1 + 0x1p-30) - std::fabs(found) * 0x1p-50 - tiny;
    return value > 0 ? value / (1 + skewness) * (1 - 0x1p-30) : value / (1 - skewness) * (1 + 0x1p-30);
}

double EigenvalueBounds::high(std::int64_t k) const {
    if (!(skewness < 0.5 && residual < infinity)) return infinity;
    const double found = values[static_cast<std::size_t>(k)], value = found + residual * (1 + 0x1p-30) + std::fabs(found) * 0x1p-50 + tiny;
    return value > 0 ? value / (1 - skewness) * (1 + 0x1p-30) : value / (1 + skewness) * (1 - 0x1p-30);
}

EigenvalueBounds eigenvalue_bounds(const Matrix& symmetric) {
    EigenvalueBounds bounds{{}, {}, infinity, infinity};
    Solver(symmetric).write(bounds);
    const std::int64_t n = symmetric.rows();
    const double error = sum_error(n), size = norm_above(symmetric), vectors = norm_above(bounds.vectors);
    const Matrix images = products_of_columns(symmetric, bounds.vectors);
    Matrix rest = products_of_columns(bounds.vectors, images), skew = gram(bounds.vectors);
    // Each difference is one operation more on the diagonal.
    const double of_rest = enlarged(enlarged(error * vectors * norm_above(images)) + enlarged(error * vectors * vectors * size)),
                 of_skew = enlarged(error * vectors * vectors);
    for (std::int64_t k = 0; k < n; ++k) {
        rest(k, k) -= bounds.values[static_cast<std::size_t>(k)];
        skew(k, k) -= 1;
    }
    bounds.residual = enlarged(norm_above(rest) + of_rest);
    bounds.skewness = enlarged(norm_above(skew) + of_skew);
    return bounds;
}

}  // namespace limrisk::certificate
