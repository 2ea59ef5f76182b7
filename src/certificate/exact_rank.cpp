// Every double is a whole number times a power of two, so each column, times a power of two, has whole numbers. Modulo a prime the rank is
// never larger. If no prime of several gives more than r, all their product divides every minor of size r + 1; once the product exceeds
// Hadamard's bound, these minors are 0.
#include "certificate/exact_rank.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>

namespace limrisk::certificate {
namespace {

constexpr std::int64_t most_primes = 4096;
constexpr std::uint64_t primes_below = std::uint64_t{1} << 31, primes_from = std::uint64_t{1} << 30;  ///< all primes here lie between

bool is_prime(std::uint64_t odd) {
    for (std::uint64_t divisor = 3; divisor * divisor <= odd; divisor += 2)
        if (odd % divisor == 0) return false;
    return true;
}

/// base^exponent modulo `prime`.
std::uint64_t power(std::uint64_t base, std::uint64_t exponent, std::uint64_t prime) {
    std::uint64_t result = 1;
    for (; exponent > 0; exponent /= 2, base = base * base % prime)
        if (exponent % 2 != 0) result = result * base % prime;
    return result;
}

/// value = significand * 2^exponent with an odd significand, times an odd factor; 0 has none.
struct WholeParts {
    std::int64_t significand = 0;
    int exponent = 0;
    std::int64_t factor = 1;
};

WholeParts parts_of(double value) {
    if (value == 0) return {};
    WholeParts parts;
    parts.significand = static_cast<std::int64_t>(std::ldexp(std::frexp(value, &parts.exponent), 53));
    parts.exponent -= 53;
    while (parts.significand % 2 == 0) parts.significand /= 2, ++parts.exponent;
    return parts;
}

WholeParts product_of(WholeParts number, const WholeParts& by) {
    if (by.significand == 0) return {};
    number.factor = by.significand;
    number.exponent += by.exponent;
    return number;
}

/// The least k with |odd| <= 2^k.
int bits_of(std::int64_t odd) {
    int size = 0;
    while (std::llabs(odd) > 1 && (std::llabs(odd) >> size) > 0) ++size;
    return size;
}

std::uint64_t residue(std::int64_t number, std::uint64_t prime) {
    const std::uint64_t size = static_cast<std::uint64_t>(std::llabs(number)) % prime;
    return number < 0 && size != 0 ? prime - size : size;
}

/// A column of whole numbers significand * factor * 2^(exponent >= 0).
struct WholeColumn {
    std::vector<WholeParts> numbers;
    int bits = 0;  ///< all abs values are at most 2^bits
};

///   factors  of its numbers; empty: 1
WholeColumn whole(const std::vector<double>& column, const std::vector<double>& factors) {
    WholeColumn result;
    std::optional<int> least;
    for (std::size_t m = 0; m < column.size(); ++m) {
        const WholeParts number = parts_of(column[m]);
        result.numbers.push_back(factors.empty() || number.significand == 0 ? number : product_of(number, parts_of(factors[m])));
        const WholeParts& put = result.numbers.back();
        if (put.significand != 0) least = std::min(least.value_or(put.exponent), put.exponent);
    }
    for (WholeParts& number : result.numbers) {
        if (number.significand == 0) continue;
        number.exponent -= *least;
        result.bits = std::max(result.bits, bits_of(number.significand) + bits_of(number.factor) + number.exponent);
    }
    return result;
}

std::int64_t rank_modulo(const std::vector<WholeColumn>& columns, std::size_t rows, std::uint64_t prime) {
    std::vector<std::vector<std::uint64_t>> reduced;  // pivot columns so far, 1 at their pivot
    std::vector<std::size_t> pivots;
    std::vector<std::uint64_t> column(rows);
    for (const WholeColumn& whole_column : columns) {
        for (std::size_t m = 0; m < rows; ++m) {
            const WholeParts& number = whole_column.numbers[m];
            column[m] = residue(number.significand, prime) * residue(number.factor, prime) % prime *
                        power(2, static_cast<std::uint64_t>(number.exponent), prime) % prime;
        }
        for (std::size_t k = 0; k < pivots.size(); ++k) {
            const std::uint64_t factor = prime - column[pivots[k]];
            if (factor == prime) continue;
            for (std::size_t m = 0; m < rows; ++m) column[m] = (column[m] + factor * reduced[k][m]) % prime;
        }
        const auto pivot = std::find_if(column.begin(), column.end(), [](std::uint64_t value) { return value != 0; });
        if (pivot == column.end()) continue;
        const std::uint64_t inverse = power(*pivot, prime - 2, prime);
        pivots.push_back(static_cast<std::size_t>(pivot - column.begin()));
        reduced.push_back(column);
        for (std::uint64_t& value : reduced.back()) value = value * inverse % prime;
    }
    return static_cast<std::int64_t>(pivots.size());
}

/// Primes, each more than 2^30, whose product exceeds every minor of size `size`: log2 of Hadamard's bound is at most the sum of the
/// largest bits of columns plus (size / 2) log2(size), and log2(size) is at most the number of its digits in base 2.
std::int64_t primes_beyond_minors(const std::vector<WholeColumn>& columns, std::int64_t size) {
    std::vector<std::int64_t> bits;
    for (const WholeColumn& column : columns) bits.push_back(column.bits);
    std::sort(bits.begin(), bits.end(), std::greater<>());
    std::int64_t digits = 0, sum = 0;
    while ((size >> digits) > 0) ++digits;
    for (std::int64_t k = 0; k < size; ++k) sum += bits[static_cast<std::size_t>(k)];
    return (sum + (size * digits + 1) / 2) / 30 + 1;
}

}  // namespace

std::optional<std::int64_t> exact_rank(const ExactMatrix& matrix) {
    const auto rows = static_cast<std::size_t>(matrix.rows);
    std::vector<WholeColumn> columns;
    const auto is_finite = [](double value) { return std::isfinite(value); };
    for (std::size_t j = 0; j < matrix.columns.size(); ++j) {
        const std::vector<double> factors = j < matrix.factors.size() ? matrix.factors[j] : std::vector<double>{};
        if (!std::ranges::all_of(matrix.columns[j], is_finite) || !std::ranges::all_of(factors, is_finite)) return std::nullopt;
        columns.push_back(whole(matrix.columns[j], factors));
    }
    const std::int64_t full = std::min(matrix.rows, static_cast<std::int64_t>(columns.size()));
    std::int64_t rank = 0, used = 0;
    for (std::uint64_t prime = primes_below - 1; prime > primes_from && used < most_primes; prime -= 2) {
        if (!is_prime(prime)) continue;
        rank = std::max(rank, rank_modulo(columns, rows, prime));
        ++used;
        if (rank == full) return rank;
        const std::int64_t needed = primes_beyond_minors(columns, rank + 1);
        if (needed > most_primes) return std::nullopt;
        if (used >= needed) return rank;
    }
    return std::nullopt;
}

}  // namespace limrisk::certificate
