// The rank of a matrix of doubles, decided without rounding: elimination modulo primes, and Hadamard's bound of its minors.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace limrisk::certificate {

/// A matrix by columns; each number stands for itself.
struct ExactMatrix {
    std::int64_t rows = 0;
    std::vector<std::vector<double>> columns;       ///< each [rows]
    std::vector<std::vector<double>> factors = {};  ///< each [rows]: of the entries of that column, which are exact products; none: 1
};

/// The rank over the real numbers. nullopt where that would take more than 4096 primes (numbers of very different sizes) and a number is
/// not finite. docs/proofs.md section 5.
std::optional<std::int64_t> exact_rank(const ExactMatrix& matrix);

}  // namespace limrisk::certificate
