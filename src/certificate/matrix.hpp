// A matrix of doubles, and sums in one order on every machine: what is proved of a trial must depend on nothing else.
#pragma once
#include <cstdint>
#include <vector>

namespace limrisk::certificate {

/// Columns one after the other; 0 at first.
class Matrix {
public:
    Matrix() = default;
    Matrix(std::int64_t rows, std::int64_t columns) : rows_(rows), columns_(columns), values_(static_cast<std::size_t>(rows * columns)) {}
    std::int64_t rows() const { return rows_; }
    std::int64_t columns() const { return columns_; }
    const std::vector<double>& values() const { return values_; }
    double& operator()(std::int64_t i, std::int64_t j) { return column(j)[i]; }
    double operator()(std::int64_t i, std::int64_t j) const { return column(j)[i]; }
    double* column(std::int64_t j) { return values_.data() + j * rows_; }
    const double* column(std::int64_t j) const { return values_.data() + j * rows_; }

private:
    std::int64_t rows_ = 0, columns_ = 0;
    std::vector<double> values_;
};

/// a[0] b[0] + ... + a[n - 1] b[n - 1]: four sums of every fourth product in order, (s_0 + s_2) + (s_1 + s_3).
inline double dot(const double* a, const double* b, std::int64_t n) {
    double sums[4]{};
    std::int64_t k = 0;
    for (; k + 4 <= n; k += 4)
        for (std::int64_t i = 0; i < 4; ++i) sums[i] += a[k + i] * b[k + i];
    for (std::int64_t i = 0; k + i < n; ++i) sums[i] += a[k + i] * b[k + i];
    return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

/// a^T b.
inline Matrix products_of_columns(const Matrix& a, const Matrix& b) {
    Matrix products(a.columns(), b.columns());
    for (std::int64_t j = 0; j < b.columns(); ++j)
        for (std::int64_t i = 0; i < a.columns(); ++i) products(i, j) = dot(a.column(i), b.column(j), a.rows());
    return products;
}

/// a^T a.
inline Matrix gram(const Matrix& a) {
    Matrix products(a.columns(), a.columns());
    for (std::int64_t j = 0; j < a.columns(); ++j)
        for (std::int64_t i = j; i < a.columns(); ++i) products(i, j) = products(j, i) = dot(a.column(i), a.column(j), a.rows());
    return products;
}

inline Matrix transposed(const Matrix& a) {
    Matrix result(a.columns(), a.rows());
    for (std::int64_t j = 0; j < a.columns(); ++j)
        for (std::int64_t i = 0; i < a.rows(); ++i) result(j, i) = a(i, j);
    return result;
}

}  // namespace limrisk::certificate
