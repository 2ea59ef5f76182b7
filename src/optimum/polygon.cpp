// Cutting a convex polygon by a line: the corners of each side, and the two points where its boundary crosses.
#include "optimum/polygon.hpp"

#include <algorithm>
#include <cmath>

#include "evaluation/gauss_legendre.hpp"

namespace limrisk::optimum {
namespace {

/// Of the largest term of a x + b y + c: what rounding makes of 0.
constexpr double rounding = 4e-15;

Point between(const Point& p, double at_p, const Point& q, double at_q) {
    const double t = at_p / (at_p - at_q);
    return {std::fma(t, q.x - p.x, p.x), std::fma(t, q.y - p.y, p.y)};
}

/// The part of the polygon where sign * side >= 0.
Polygon part(const Polygon& polygon, const std::vector<double>& sides, double sign) {
    Polygon result;
    for (std::size_t i = 0; i < polygon.size(); ++i) {
        const std::size_t j = (i + 1) % polygon.size();
        if (sign * sides[i] >= 0) result.push_back(polygon[i]);
        if (sides[i] * sides[j] < 0) result.push_back(between(polygon[i], sides[i], polygon[j], sides[j]));
    }
    return result;
}

}  // namespace

double Line::side(const Point& p) const {
    const double value = std::fma(a, p.x, std::fma(b, p.y, c));
    const double scale = std::max({std::fabs(a * p.x), std::fabs(b * p.y), std::fabs(c)});
    return std::fabs(value) <= rounding * scale ? 0 : value;
}

void cut(std::vector<Polygon>& cells, const Line& line) {
    std::vector<double> sides;
    const std::size_t count = cells.size();
    for (std::size_t i = 0; i < count; ++i) {
        sides.clear();
        bool below = false, above = false;
        for (const Point& corner : cells[i]) {
            sides.push_back(line.side(corner));
            below = below || sides.back() < 0;
            above = above || sides.back() > 0;
        }
        if (!below || !above) continue;
        cells.push_back(part(cells[i], sides, 1));
        cells[i] = part(cells[i], sides, -1);
    }
}

Polygon rectangle(const Point& low, const Point& high) { return {low, {high.x, low.y}, high, {low.x, high.y}}; }

void for_each_node(const Polygon& polygon, const std::function<void(const Point&, double)>& visit) {
    for (std::size_t i = 1; i + 1 < polygon.size(); ++i) {
        const Point &p = polygon[0], &q = polygon[i], &r = polygon[i + 1];
        const double twice = std::fabs((q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x));
        if (!(twice > 0)) continue;
        // x = p + u (q - p) + u v (r - q), 0 <= u, v <= 1: the area element is twice * u.
        for (int g = 0; g < 8; ++g) {
            const double u = std::fma(0.5, gauss_legendre::abscissas_8[g], 0.5);
            for (int k = 0; k < 8; ++k) {
                const double uv = u * std::fma(0.5, gauss_legendre::abscissas_8[k], 0.5);
                visit({std::fma(u, q.x - p.x, std::fma(uv, r.x - q.x, p.x)), std::fma(u, q.y - p.y, std::fma(uv, r.y - q.y, p.y))},
                      0.25 * gauss_legendre::weights_8[g] * gauss_legendre::weights_8[k] * u * twice);
            }
        }
    }
}

std::vector<Point> clip(const Line& line, const Point& low, const Point& high) {
    const Polygon corners = rectangle(low, high);
    std::vector<Point> ends;
    bool inside = false;  // an edge on the line belongs to the rectangle on its positive side, so that neighbours do not count it twice
    for (std::size_t i = 0; i < corners.size(); ++i) {
        const Point &p = corners[i], &q = corners[(i + 1) % corners.size()];
        const double at_p = line.side(p), at_q = line.side(q);
        if (at_p == 0) ends.push_back(p);
        if (at_p * at_q < 0) ends.push_back(between(p, at_p, q, at_q));
        inside = inside || at_p > 0;
    }
    if (ends.size() != 2 || !inside) ends.clear();
    return ends;
}

}  // namespace limrisk::optimum
