"""The districts of Rajasthan and some of their towns and villages: data."""

from typing import NamedTuple


class Town(NamedTuple):
    """A town or village; ``pincode`` has six digits."""

    name: str
    pincode: str


class District(NamedTuple):
    """A district; ``id`` is the warehouse's ``district_id``."""

    id: int
    name: str
    towns: tuple[Town, ...]


# Name, the first three digits of its pincodes, its towns: the largest first.
_DISTRICTS = """
Ajmer          | 305 | Ajmer, Kishangarh, Beawar, Kekri, Nasirabad, Pushkar, Masuda
Alwar          | 301 | Alwar, Behror, Khairthal, Rajgarh, Tijara, Kathumar
Banswara       | 327 | Banswara, Kushalgarh, Ghatol, Garhi, Bagidora
Baran          | 325 | Baran, Anta, Chhabra, Mangrol, Atru, Shahbad
Barmer         | 344 | Barmer, Balotra, Siwana, Baytu, Chohtan, Sheo
Bharatpur      | 321 | Bharatpur, Bayana, Deeg, Kaman, Nadbai, Weir
Bhilwara       | 311 | Bhilwara, Shahpura, Asind, Mandalgarh, Gangapur, Jahazpur
Bikaner        | 334 | Bikaner, Nokha, Lunkaransar, Kolayat, Khajuwala
Bundi          | 323 | Bundi, Lakheri, Nainwa, Keshoraipatan, Hindoli
Chittorgarh    | 312 | Chittorgarh, Nimbahera, Begun, Kapasan, Rawatbhata
Churu          | 331 | Churu, Sujangarh, Ratangarh, Sardarshahar, Taranagar
Dausa          | 303 | Dausa, Bandikui, Lalsot, Mahwa, Sikrai
Dholpur        | 328 | Dholpur, Bari, Rajakhera, Baseri, Sepau
Dungarpur      | 314 | Dungarpur, Sagwara, Aspur, Simalwara, Bichhiwara
Ganganagar     | 335 | Sri Ganganagar, Suratgarh, Anupgarh, Raisinghnagar, Padampur
Hanumangarh    | 335 | Hanumangarh, Nohar, Bhadra, Sangaria, Rawatsar, Pilibanga
Jaipur         | 302 | Jaipur, Sanganer, Chomu, Amber, Bagru, Chaksu, Phagi, Shahpura, Kotputli
Jaisalmer      | 345 | Jaisalmer, Pokaran, Ramgarh, Fatehgarh
Jalore         | 343 | Jalore, Bhinmal, Sanchore, Ahore, Raniwara
Jhalawar       | 326 | Jhalawar, Jhalrapatan, Bhawani Mandi, Aklera, Khanpur
Jhunjhunu      | 333 | Jhunjhunu, Nawalgarh, Khetri, Chirawa, Pilani, Mandawa
Jodhpur        | 342 | Jodhpur, Phalodi, Bilara, Osian, Pipar, Luni
Karauli        | 322 | Karauli, Hindaun, Todabhim, Sapotra, Nadoti
Kota           | 324 | Kota, Ramganj Mandi, Sangod, Itawa, Kaithoon
Nagaur         | 341 | Nagaur, Makrana, Didwana, Ladnun, Merta, Kuchaman
Pali           | 306 | Pali, Sojat, Sumerpur, Falna, Bali, Jaitaran
Pratapgarh     | 312 | Pratapgarh, Chhoti Sadri, Arnod, Dhariawad
Rajsamand      | 313 | Rajsamand, Nathdwara, Amet, Bhim, Deogarh
Sawai Madhopur | 322 | Sawai Madhopur, Gangapur City, Bonli, Khandar
Sikar          | 332 | Sikar, Fatehpur, Neem Ka Thana, Sri Madhopur, Lachhmangarh, Khatu
Sirohi         | 307 | Sirohi, Abu Road, Mount Abu, Pindwara, Sheoganj
Tonk           | 304 | Tonk, Malpura, Niwai, Deoli, Uniara, Todaraisingh
Udaipur        | 313 | Udaipur, Gogunda, Mavli, Salumbar, Kherwara, Jhadol
"""


def _towns(number: int, prefix: str, names: str) -> tuple[Town, ...]:
    # The last three digits are made up, and differ where districts share the first three.
    return tuple(
        Town(name.strip(), f"{prefix}{100 * place + number:03d}")
        for place, name in enumerate(names.split(","))
    )


def _district(number: int, line: str) -> District:
    name, prefix, towns = (part.strip() for part in line.split("|"))
    return District(number, name, _towns(number, prefix, towns))


DISTRICTS = tuple(
    _district(number, line) for number, line in enumerate(_DISTRICTS.strip().splitlines(), start=1)
)
