// How many rows a table holds, and which: each row has a hash, and the seal of the table keeps their number and their sum modulo 2. A row
// that a damaged page or index hides is missed so, whatever else fits.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "store/sqlite.hpp"

namespace limrisk {

class Seal {
public:
    void add(std::string_view hash);  ///< 32 hexadecimal digits; anything else spoils the seal
    void remove(std::string_view hash);
    std::int64_t rows() const { return rows_; }
    std::string hash() const;
    bool operator==(const Seal&) const = default;

    /// The seal of `table`, as the store keeps it.
    static Seal read(const sqlite::Database& database, const std::string& table);
    void write(const sqlite::Database& database, const std::string& table) const;  ///< in the caller's transaction

private:
    void combine(std::string_view hash);
    std::int64_t rows_ = 0;
    std::array<std::uint64_t, 2> sum_{};
};

/// How the rows of `table` differ from its seal, in words; empty if they do not. In the transaction in which `found` was read.
std::string seal_problem(const sqlite::Database& database, const std::string& table, const Seal& found);

}  // namespace limrisk
