// Proof that a mesh misses nothing of its target: bounds of the integrals of f - m and (f - m)^2 against the law by interval arithmetic, on
// cells that are bisected where the bounds are loose. docs/numerics.md section 12.
#pragma once
#include <array>
#include <vector>

#include "evaluation/density_law.hpp"
#include "evaluation/rule.hpp"

namespace limrisk {

class Features {
public:
    /// `points`: ends of the first cells, ascending, from one end of the domain to the other. `mean`: m. `largest`: a value of |f|, the
    /// scale of its rounding errors.
    Features(const InputLaw& input, const kernels::Program& program, const std::vector<double>& points, double mean, double largest);

    /// Whether the 8-point rule on [low, high] is proved wrong.
    bool missed(double low, double high) const;
    /// What no bound excludes, over the integrals of |f - m| and (f - m)^2: a feature of f that holds more of them has been seen.
    double unproved() const { return unproved_; }

private:
    static constexpr std::size_t functionals = 2;
    using Integrals = std::array<double, functionals>;

    /// By the midpoint rule, and how far the integrals may be from that.
    struct Cell {
        double low, high;
        Integrals integral{}, bound{};
    };

    Integrals values(double x) const;
    Cell cell(double low, double high) const;
    bool divisible(const Cell& cell) const;
    void bisect();

    InputLaw input_;
    kernels::Program program_;
    Density density_;
    double mean_, smallest_;
    Integrals rounding_{};  ///< of a value
    std::vector<Cell> cells_;
    double unproved_ = 0;
};

}  // namespace limrisk
