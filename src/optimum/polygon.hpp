// Convex polygons of the plane: cut by lines, and integrated over. The cells on which a network of two variables is affine are such.
#pragma once
#include <functional>
#include <vector>

namespace limrisk::optimum {

struct Point {
    double x, y;
};

/// Convex, its corners in order.
using Polygon = std::vector<Point>;

/// Where a x + b y + c = 0.
struct Line {
    double a, b, c;
    /// 0 where the value is rounding.
    double side(const Point& p) const;
};

/// Cuts every polygon that the line crosses in two. The area of all stays the same.
void cut(std::vector<Polygon>& cells, const Line& line);

/// The corners of [low.x, high.x] x [low.y, high.y].
Polygon rectangle(const Point& low, const Point& high);

/// Calls `visit(point, weight)` for the nodes of a rule that is exact for polynomials of degree 14: 8 x 8 Gauss points, collapsed, on each
/// triangle of a fan. The weights sum to the area.
void for_each_node(const Polygon& polygon, const std::function<void(const Point&, double)>& visit);

/// The ends of the part of the line inside the rectangle; empty if there is none.
std::vector<Point> clip(const Line& line, const Point& low, const Point& high);

}  // namespace limrisk::optimum
