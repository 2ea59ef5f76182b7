// Problems for the tests of the optimum, and a brute-force route to the same numbers that shares no code with src/optimum.
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "campaign_fixture.hpp"
#include "optimum/optimum.hpp"

namespace limrisk::optimum {

/// The problem of a campaign of one cell.
inline Problem problem(const std::string& target, const std::string& input, const std::string& activation = "\"relu\"") {
    return problem_of(
        read_campaign({{7, "input = " + input}, {8, "target = \"" + target + "\""}, {11, "activation = " + activation}}).cells.front());
}

inline std::string box(double low, double high, int dimension = 1) {
    return "{ law = \"uniform\", dimension = " + std::to_string(dimension) + ", low = " + std::to_string(low) +
           ", high = " + std::to_string(high) + " }";
}

/// Least squares of f on given functions over equal cells of [low, high] with weight p (not normalised), by the midpoint rule with
/// `count` cells and Gram-Schmidt in double: the mean squared residual.
class BruteForce {
public:
    using Function = std::function<double(double)>;
    BruteForce(const Function& target, const Function& weight, double low, double high, int count) {
        double mass = 0;
        for (int m = 0; m < count; ++m) {
            x_.push_back(low + (high - low) * (m + 0.5) / count);
            root_.push_back(weight(x_.back()));
            mass += root_.back();
        }
        for (double& w : root_) w = std::sqrt(w / mass);
        for (std::size_t m = 0; m < x_.size(); ++m) target_.push_back(root_[m] * target(x_[m]));
    }
    double risk(const std::vector<Function>& functions) const {
        std::vector<std::vector<double>> basis;
        std::vector<double> residual = target_;
        const auto remove = [](std::vector<double>& v, const std::vector<double>& unit) {
            double product = 0;
            for (std::size_t m = 0; m < v.size(); ++m) product += v[m] * unit[m];
            for (std::size_t m = 0; m < v.size(); ++m) v[m] -= product * unit[m];
        };
        for (const Function& function : functions) {
            std::vector<double> column;
            for (std::size_t m = 0; m < x_.size(); ++m) column.push_back(root_[m] * function(x_[m]));
            const double before = norm(column);
            for (int twice = 0; twice < 2; ++twice)
                for (const std::vector<double>& unit : basis) remove(column, unit);
            const double length = norm(column);
            if (!(length > 1e-9 * before)) continue;  // depends on the others
            for (double& value : column) value /= length;
            remove(residual, column);
            basis.push_back(column);
        }
        const double left = norm(residual);
        return left * left;
    }

private:
    static double norm(const std::vector<double>& v) {
        double sum = 0;
        for (const double value : v) sum += value * value;
        return std::sqrt(sum);
    }
    std::vector<double> x_, root_, target_;
};

}  // namespace limrisk::optimum
