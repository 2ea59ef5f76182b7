// Laws that are given by their density: integral, quantile function, table, variates. docs/numerics.md section 15.
// Part of the scalar reference: shares no code with kernels/ or src/evaluation/.
#pragma once
#include <array>
#include <vector>

#include "campaign/cell.hpp"
#include "reference/target.hpp"

namespace limrisk::reference {

inline bool is_given_by_density(const InputLaw& input) {
    return input.kind == InputLaw::Kind::Beta || input.kind == InputLaw::Kind::Density;
}

/// g on the interval of the law in dimension 1.
TargetProgram density_program(const InputLaw& input);

/// g on an interval, with its integral.
struct GivenDensity {
    TargetProgram program;
    std::vector<double> ends, sums;  ///< [P + 1] x and C

    double total() const { return sums.back(); }
};
GivenDensity given_density(const TargetProgram& program, double low, double high);
double distribution(const GivenDensity& law, double x);
double quantile(const GivenDensity& law, double u);

struct TablePiece {
    double low = 0, width = 1;
    std::array<double, 8> a{};
};
/// Of the law of a coordinate, single: for float.
std::vector<TablePiece> quantile_pieces(const InputLaw& input, bool single);

/// q(u).
template <class Real>
Real tabulated_quantile(const std::vector<TablePiece>& pieces, Real u) {
    const double abscissas[] = {-0.96028985649753623168, -0.79666647741362673959, -0.52553240991632898582, -0.18343464249564980494,
                                0.18343464249564980494,  0.52553240991632898582,  0.79666647741362673959,  0.96028985649753623168};
    std::size_t last = 0;
    for (std::size_t j = 0; j < pieces.size(); ++j)
        if (Real(pieces[j].low) <= u) last = j;
    const TablePiece& piece = pieces[last];
    const Real t = std::fma(u - Real(piece.low), Real(2 / piece.width), Real(-1));
    Real q = Real(piece.a[7]);
    for (std::size_t k = 7; k-- > 0;) q = std::fma(q, t - Real(abscissas[k]), Real(piece.a[k]));
    return q;
}

}  // namespace limrisk::reference
